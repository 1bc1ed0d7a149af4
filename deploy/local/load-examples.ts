import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiError, buildBundle, digestOf, hasChanges, type PushResult, pushBundle } from '@airlock/cli';
import { z } from 'zod';
import { type Answer, type Api, call, member } from './api.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));

const Tables = z.array(z.looseObject({ logicalName: z.string() }));
/** A record names its own primary key, so that loading it again finds it. */
const Records = z.array(z.object({ set: z.string(), id: z.uuid(), values: z.record(z.string(), z.unknown()) }));

export interface Loaded {
  readonly tables: number;
  readonly records: number;
  readonly bundles: number;
}

async function readModel(name: string): Promise<unknown> {
  const text = await readFile(join(EXAMPLES, 'model', name), 'utf8').catch(() => '[]');
  return JSON.parse(text);
}

function mustSucceed(answer: Answer, what: string): void {
  if (answer.status < 300) return;
  throw new Error(`${what} was refused with ${answer.status}: ${String(member(answer.body, 'error', 'message') ?? JSON.stringify(answer.body))}`);
}

async function loadTables(api: Api): Promise<number> {
  let made = 0;
  for (const table of Tables.parse(await readModel('tables.json'))) {
    const known = await call(api, 'GET', `EntityDefinitions(LogicalName='${table.logicalName}')?$select=LogicalName`);
    if (known.status === 200) continue;
    mustSucceed(await call(api, 'POST', '/api/airlock/v1/tables', { body: table }), `The table ${table.logicalName}`);
    made++;
  }
  return made;
}

async function loadRecords(api: Api): Promise<number> {
  let made = 0;
  for (const { set, id, values } of Records.parse(await readModel('records.json'))) {
    if ((await call(api, 'GET', `${set}(${id})`)).status === 200) continue;
    mustSucceed(await call(api, 'POST', set, { body: values }), `The record ${set}(${id})`);
    made++;
  }
  return made;
}

/** Folders of examples that are plug-in projects: those whose package.json has an `airlock` section. */
async function pluginProjects(): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await readdir(EXAMPLES).catch(() => [])).toSorted((a, b) => a.localeCompare(b))) {
    const text = await readFile(join(EXAMPLES, name, 'package.json'), 'utf8').catch(() => '{}');
    if (member(JSON.parse(text), 'airlock') !== undefined) found.push(join(EXAMPLES, name));
  }
  return found;
}

const VERSION_TAKEN = '0x8004417b';

/**
 * A version is immutable, but who works on an example (or on the SDK that is built into it) does not raise its version each time: then the
 * changed code gets a version of its own, named for its digest.
 */
export async function pushExample(api: Api, project: string, say: (text: string) => void): Promise<PushResult> {
  const built = await buildBundle(project);
  try {
    return await pushBundle({ ...api, bundle: built });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== VERSION_TAKEN) throw error;
    const { name, version } = built.manifest;
    const ownVersion = `${version.split('-')[0]}-dev.${digestOf(built).slice(0, 12)}`;
    say(`the example ${name} differs from its stored version ${version}; it is loaded as ${ownVersion}`);
    return await pushBundle({ ...api, bundle: { ...built, manifest: { ...built.manifest, version: ownVersion } } });
  }
}

/** Tables, records and plug-ins of the examples. Loading them again changes nothing that is there. */
export async function loadExamples(api: Api, say: (text: string) => void): Promise<Loaded> {
  const tables = await loadTables(api);
  const records = await loadRecords(api);
  let bundles = 0;
  for (const project of await pluginProjects()) {
    if (hasChanges(await pushExample(api, project, say))) bundles++;
  }
  return { tables, records, bundles };
}
