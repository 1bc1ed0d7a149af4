/** `docs/errors.md` is written from the registry: `node test/architecture/error-page.ts` writes it, a test holds both equal. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorCodes } from '@airlock/protocol';

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('{', '‹').replaceAll('}', '›');

export function errorPage(): string {
  const rows = Object.entries(errorCodes).map(([name, error]) => {
    const again = 'retriable' in error ? 'yes' : '';
    return `| \`${name}\` | ${error.code === '' ? '(empty)' : `\`${error.code}\``} | ${error.http} | ${again} | ${cell(error.text)} |`;
  });
  return `# Errors

Every error that Airlock itself words, written from \`packages/protocol/src/error-codes.ts\` by \`node test/architecture/error-page.ts\`.
A caller compares \`code\`, never the text: codes stay for ever, texts may improve. Several errors share a code where callers
of the Dataverse Web API know them by that one. "Again" says that the same request may succeed later without a change.
What stands in ‹ › is filled in.

| name | code | status | again | text |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

if (import.meta.main) writeFileSync(fileURLToPath(new URL('../../docs/errors.md', import.meta.url)), errorPage());
