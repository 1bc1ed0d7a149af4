/** `docs/retries.md` is written from the policy: `node test/architecture/retry-page.ts` writes it, a test holds both equal. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Attempt, fourAttempts, MAX_RETRY_AFTER_MS, retryDelayMs } from '@airlock/pipeline';

const seconds = (ms: number) => `${ms / 1_000} s`;

function rows(): readonly string[] {
  let least = 0;
  let most = 0;
  return Array.from({ length: fourAttempts.maxAttempts }, (_, index) => {
    const number = index + 1;
    if (number === 1) return '| 1 | at once | 0 s |';
    // The delay is that of the attempt before; attempts count from 1.
    const attempt = (number - 1) as Attempt;
    const shortest = retryDelayMs(fourAttempts, { attempt, jitter: 0 });
    const longest = retryDelayMs(fourAttempts, { attempt, jitter: 1 });
    least += shortest;
    most += longest;
    return `| ${number} | ${seconds(shortest)} to ${seconds(longest)} | ${seconds(least)} to ${seconds(most)} |`;
  });
}

export function retryPage(): string {
  const { firstDelayMs, factor, jitterShare, maxAttempts } = fourAttempts;
  return `# Retries of system jobs

Written from \`packages/pipeline/src/retry-policy.ts\` by \`node test/architecture/retry-page.ts\`.

A system job has ${maxAttempts} attempts in all. The first delay is ${seconds(firstDelayMs)} (\`AIRLOCK_JOB_RETRY_MS\`), each further one
${factor} times the one before, moved by up to ${jitterShare * 100} % either way, so that jobs that failed together do not come back together.

| attempt | waits after the one before | since the first one began, beside the attempts themselves |
| --- | --- | --- |
${rows().join('\n')}

While a job waits it is *Waiting* (1/10): \`postponeuntil\` says until when, \`retrycount\` how many tries beyond the first there are,
\`message\` and \`friendlymessage\` what the last one said. Each attempt is kept: \`GET /api/airlock/v1/jobs/<id>\`.

| how the attempt ended | what follows | counts |
| --- | --- | --- |
| \`InvalidPluginExecutionException\` with \`OperationStatus.Retry\` | next attempt after the delay, or after the \`retryAfterMs\` that the plug-in gave (at most ${seconds(MAX_RETRY_AFTER_MS)}); Failed after the last one | yes |
| worker lost, or lease of the dispatcher lost | next attempt after the delay; Failed after the last one: the plug-in may be what kills its workers | yes |
| the bundle cannot be loaded by the worker | next attempt after the delay; Failed after the last one | yes |
| dispatcher or worker shuts down in good order | ready at once, with the same number | no |
| no worker took it, or the bundle is throttled | ready again, left alone for a moment | no |
| \`OperationStatus.Suspended\` | Waiting until somebody resumes it | no |
| \`OperationStatus.Canceled\` / \`Succeeded\` | Canceled / Succeeded | - |
| \`OperationStatus.Failed\`, any other exception, a limit of the sandbox | Failed at once | - |
| its user is disabled or gone when it starts | Failed at once | - |
`;
}

if (import.meta.main) writeFileSync(fileURLToPath(new URL('../../docs/retries.md', import.meta.url)), retryPage());
