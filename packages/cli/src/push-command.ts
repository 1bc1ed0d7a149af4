import type { PushResult } from '@airlock/protocol';
import { buildBundle } from './build-bundle.ts';
import { projectDir } from './build-command.ts';
import { connectionOf } from './connection.ts';
import type { Options } from './options.ts';
import { planText } from './plan-text.ts';
import { hasChanges, pushBundle } from './push-bundle.ts';
import { signatureFor } from './sign-bundle.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Builds, shows the plan, asks, applies. Without a person to ask, `--yes` has to say it. */
export async function pushCommand(options: Options, terminal: Terminal): Promise<void> {
  const { print, note, paint, confirm, cwd } = terminal;
  const dir = projectDir(options.words, cwd);
  const asks = !options.plan && !options.yes;
  if (asks && (options.json || confirm === undefined)) {
    throw new UsageError('Nobody is there to confirm the plan. Pass --yes to apply it, or --plan to only see it.');
  }
  const connection = await connectionOf(options, terminal);
  const bundle = await buildBundle(dir);
  for (const warning of bundle.warnings) note(paint('yellow', `warning: ${warning}`));

  const signature = await signatureFor(bundle, connection, options, cwd);
  const upload = { ...connection, bundle, ...(signature && { signature }) };

  const planned = await pushBundle({ ...upload, plan: true });
  if (!options.json) print(planText(planned, paint));
  if (options.plan || !hasChanges(planned)) return options.json ? print(JSON.stringify(planned)) : undefined;

  if (asks && !(await confirm?.(`Apply to ${new URL(connection.url).origin}?`))) {
    print('Nothing was changed.');
    return;
  }
  const applied = await pushBundle(upload);
  print(options.json ? JSON.stringify(applied) : appliedText(applied, planned, terminal));
}

/** Somebody else may have pushed between the plan and now: then what was really done is shown. */
function appliedText(applied: PushResult, planned: PushResult, { paint }: Terminal): string {
  if (JSON.stringify(applied.changes) === JSON.stringify(planned.changes)) return paint('green', 'Applied.');
  return `${paint('yellow', 'Applied, but not as planned, because the registrations changed meanwhile:')}\n${planText(applied, paint)}`;
}
