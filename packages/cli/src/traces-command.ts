import { cleanText } from '@airlock/protocol';
import { z } from 'zod';
import { ApiError } from './api-error.ts';
import { callApi } from './call-api.ts';
import { connectionOf } from './connection.ts';
import type { Options } from './options.ts';
import { oneLine } from './plan-text.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const TraceRow = z.record(z.string(), z.unknown());
type TraceRow = z.output<typeof TraceRow>;
const TraceRows = z.union([z.object({ value: z.array(TraceRow) }).transform(({ value }) => value), z.array(TraceRow)]);

const MAX_TEXT_CHARS = 2_000_000;

export async function tracesCommand(options: Options, terminal: Terminal): Promise<void> {
  const [verb, traceId, ...more] = options.words;
  if (verb !== 'show' || traceId === undefined || more.length > 0) throw new UsageError('airlock traces show <trace id>');
  if (!/^[0-9a-f]{32}$/.test(traceId)) throw new UsageError(`"${traceId}" is not a trace id: it has 32 hexadecimal digits in lower case.`);
  const rows = await callApi(await connectionOf(options, terminal), { method: 'GET', path: `traces/${traceId}` }, TraceRows);
  if (options.json) return terminal.print(JSON.stringify(rows));
  if (rows.length === 0) {
    throw new ApiError('The trace log has no row of this trace. It is kept as the setting pluginTraceLogSetting says (0 Off, 1 Exception, 2 All).');
  }
  terminal.print(rows.map((row) => rowText(row, terminal)).join('\n\n'));
}

function rowText(row: TraceRow, { paint }: Terminal): string {
  const field = (name: string): string => oneLine(scalar(row[name]), 1_024);
  const head = `${paint('bold', field('typename'))}  ${field('messagename')} of ${field('primaryentity')}, depth ${field('depth')}`;
  const when = paint('dim', `${field('createdon')}  ${field('performanceexecutionduration')} ms`);
  const blocks = [block(row['messageblock'], (line) => line), block(row['exceptiondetails'], (line) => paint('red', line))];
  return [head, when, ...blocks.filter((text) => text !== '')].join('\n');
}

function block(value: unknown, shown: (line: string) => string): string {
  const text = cleanText(scalar(value), MAX_TEXT_CHARS).trimEnd();
  if (text === '') return '';
  return text
    .split('\n')
    .map((line) => `  ${shown(line)}`)
    .join('\n');
}

const scalar = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
