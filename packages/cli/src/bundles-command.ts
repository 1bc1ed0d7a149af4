import { BundleSummary } from '@airlock/protocol';
import { z } from 'zod';
import { callApi } from './call-api.ts';
import { connectionOf } from './connection.ts';
import type { Options } from './options.ts';
import { oneLine } from './plan-text.ts';
import { tableText } from './table-text.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const BundleList = z.object({ value: z.array(BundleSummary) });

export async function bundlesCommand(options: Options, terminal: Terminal): Promise<void> {
  const [verb, wanted, ...more] = options.words;
  if (verb === 'list' && wanted === undefined) return listBundles(options, terminal);
  if (verb === 'remove' && wanted !== undefined && more.length === 0) return removeBundle(wanted, options, terminal);
  throw new UsageError('airlock bundles list | remove <name>[@<version>]');
}

async function listBundles(options: Options, terminal: Terminal): Promise<void> {
  const { value } = await callApi(await connectionOf(options, terminal), { method: 'GET', path: 'bundles' }, BundleList);
  if (options.json) return terminal.print(JSON.stringify(value));
  if (value.length === 0) return terminal.print('There are no bundles.');
  const rows = value.map((bundle) => [
    bundle.isCurrent ? 'current' : '',
    bundle.name,
    bundle.version,
    String(bundle.steps),
    bundle.signedBy ?? '(unsigned)',
    bundle.digest.slice(0, 12),
    bundle.uploadedOn,
  ]);
  terminal.print(tableText([['', 'name', 'version', 'steps', 'signed by', 'sha256', 'uploaded'], ...rows]));
}

async function removeBundle(wanted: string, options: Options, terminal: Terminal): Promise<void> {
  const { name, version } = parse(wanted);
  if (!options.yes) {
    if (options.json || terminal.confirm === undefined) throw new UsageError('Nobody is there to confirm. Pass --yes to remove it.');
    const what = version === undefined ? `every version of ${name}` : `${name} ${version}`;
    if (!(await terminal.confirm(`Remove ${oneLine(what, 256)}?`))) return terminal.print('Nothing was changed.');
  }
  const query = new URLSearchParams({ name, ...(version !== undefined && { version }) });
  await callApi(await connectionOf(options, terminal), { method: 'DELETE', path: `bundles?${query.toString()}` }, z.undefined());
  terminal.print(options.json ? JSON.stringify({ removed: { name, version } }) : `${oneLine(wanted, 256)} is removed.`);
}

/** A name may itself begin with @. */
function parse(wanted: string): { readonly name: string; readonly version: string | undefined } {
  const at = wanted.lastIndexOf('@');
  return at > 0 ? { name: wanted.slice(0, at), version: wanted.slice(at + 1) } : { name: wanted, version: undefined };
}
