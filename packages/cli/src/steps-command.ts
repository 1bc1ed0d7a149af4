import { StepSummary } from '@airlock/protocol';
import { z } from 'zod';
import { type Connection, callApi } from './call-api.ts';
import { connectionOf } from './connection.ts';
import type { Options } from './options.ts';
import { oneLine } from './plan-text.ts';
import { tableText } from './table-text.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** A list answers as `{"value": […]}`, as every list of the Web API does. */
const StepList = z.union([z.object({ value: z.array(StepSummary) }).transform(({ value }) => value), z.array(StepSummary)]);

const stageNames: Readonly<Record<number, string>> = { 10: 'PreValidation', 20: 'PreOperation', 40: 'PostOperation' };

export async function stepsCommand(options: Options, terminal: Terminal): Promise<void> {
  const [verb, wanted, ...more] = options.words;
  switch (verb) {
    case 'list':
      if (wanted !== undefined) throw new UsageError(`"airlock steps list" takes no "${wanted}".`);
      return listSteps(options, terminal);
    case 'enable':
    case 'disable':
      if (wanted === undefined || more.length > 0) throw new UsageError(`Which step? airlock steps ${verb} <id or name>`);
      return setEnabled(wanted, verb === 'enable', options, terminal);
    default:
      throw new UsageError('airlock steps list | enable <id or name> | disable <id or name>');
  }
}

async function listSteps(options: Options, terminal: Terminal): Promise<void> {
  const steps = await fetchSteps(await connectionOf(options, terminal));
  if (options.json) return terminal.print(JSON.stringify(steps));
  if (steps.length === 0) return terminal.print('There are no steps.');
  const rows = steps.map((step) => [
    step.enabled ? 'on' : 'off',
    step.message,
    step.table ?? '(any)',
    `${stageNames[step.stage] ?? step.stage}${step.mode === 1 ? ', async' : ''}`,
    String(step.rank),
    step.name,
    `${step.bundle} ${step.version}`,
    step.id,
  ]);
  terminal.print(tableText([['', 'message', 'table', 'stage', 'rank', 'name', 'bundle', 'id'], ...rows]));
}

async function setEnabled(wanted: string, enabled: boolean, options: Options, terminal: Terminal): Promise<void> {
  const connection = await connectionOf(options, terminal);
  const step = theStep(wanted, await fetchSteps(connection));
  const changed = step.enabled !== enabled;
  if (changed) await callApi(connection, { method: 'PATCH', path: `steps/${encodeURIComponent(step.id)}`, body: { enabled } }, z.unknown());
  if (options.json) return terminal.print(JSON.stringify({ ...step, enabled, changed }));
  terminal.print(`${oneLine(step.name, 512)} ${changed ? 'is now' : 'was already'} ${enabled ? 'enabled' : 'disabled'}.`);
}

function theStep(wanted: string, steps: readonly StepSummary[]): StepSummary {
  const found = steps.filter(({ id, name }) => id === wanted || name === wanted);
  const [step] = found;
  if (step === undefined) throw new UsageError(`There is no step with the id or name "${wanted}". "airlock steps list" shows them.`);
  if (found.length > 1) throw new UsageError(`${found.length} steps have the name "${wanted}": use an id (${found.map(({ id }) => id).join(', ')}).`);
  return step;
}

function fetchSteps(connection: Connection): Promise<StepSummary[]> {
  return callApi(connection, { method: 'GET', path: 'steps' }, StepList);
}
