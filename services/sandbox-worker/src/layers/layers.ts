import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { arrangements, type LayerOptions } from './arrangements.ts';
import { engineFile } from './host-paths.ts';
import { type Layers, nodeFlags, processOnly } from './layer.ts';

const PROBE_TIMEOUT_MS = 10_000;

export interface Detected {
  readonly layers: Layers;
  /** Why stronger ones are not on. */
  readonly tried: readonly string[];
}

/** The layers that this machine allows: the strongest arrangement in which a sandbox process starts. */
export function detectLayers(options: LayerOptions): Detected {
  const tried: string[] = [];
  for (const layers of arrangements(options, tried)) {
    const problem = layers.names.length === 1 ? undefined : probe(layers, options.jitless);
    if (problem === undefined) return { layers, tried };
    tried.push(`${layers.names.join(' + ')}: ${problem}`);
  }
  return { layers: processOnly, tried };
}

/** Starts Node with an isolate inside the layers once. Says why that did not work. */
function probe(layers: Layers, jitless: boolean): string | undefined {
  const script = `new (require(${JSON.stringify(engineFile())}).Isolate)(); process.exit(0)`;
  const { file, args } = layers.wrapCommand({ file: process.execPath, args: [...nodeFlags(jitless), '-e', script] });
  const filter = layers.filterFile === undefined ? undefined : openSync(layers.filterFile, 'r');
  try {
    const stdio = [
      'ignore',
      'ignore',
      'pipe',
      'ignore',
      ...(layers.pidComesLater ? ['pipe' as const] : []),
      ...(filter === undefined ? [] : [filter]),
    ];
    const done = spawnSync(file, args, { env: {}, cwd: '/', timeout: PROBE_TIMEOUT_MS, stdio: stdio as ('ignore' | 'pipe' | number)[] });
    if (done.status === 0) return undefined;
    const said = done.stderr?.toString('utf8').trim().split('\n').at(-1) ?? '';
    return done.error?.message ?? (said === '' ? `it ended with ${done.signal ?? done.status}` : said.slice(0, 300));
  } finally {
    if (filter !== undefined) closeSync(filter);
  }
}
