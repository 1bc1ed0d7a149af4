import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startProcess } from '@airlock/local/process';

/** Fetched when the case runs, and kept out of the dependencies: 160 MB that nothing else needs. */
const VERSION = '1.20261117.1';
const INSTALL_MS = 180_000;
const directory = fileURLToPath(new URL(`../../.airlock/bench/workerd-${VERSION}`, import.meta.url));
const run = promisify(execFile);

/**
 * A running workerd whose one worker loads others by its `workerLoader` binding: the way in which workerd meets code that it did not know when it
 * started. Workers of its configuration are made at its start, before any request could wait for them.
 */
export interface Workerd extends AsyncDisposable {
  /** Hands over the code of the next worker; not part of what is timed. */
  give(script: string): Promise<void>;
  /** First request to a worker of that code. */
  request(): Promise<void>;
}

const LOADER = `
let code = '';
let workers = 0;
export default {
  async fetch(request, env) {
    if (request.method === 'PUT') {
      code = await request.text();
      return new Response(null, { status: 204 });
    }
    const load = () => ({ compatibilityDate: '2026-11-01', mainModule: 'main.js', modules: { 'main.js': code }, globalOutbound: null });
    workers += 1;
    return await env.LOADER.get('worker ' + workers, load).getEntrypoint().fetch(request);
  },
};`;

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .loader)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const loader :Workerd.Worker = (
  modules = [(name = "loader.js", esModule = embed "loader.js")],
  compatibilityDate = "2026-11-01",
  bindings = [(name = "LOADER", workerLoader = ())],
);
`;

const asWorker = (script: string): string => `${script}
export default { async fetch(request) { const record = await request.json(); return Response.json({ note: result(record).slice(0, 150) }); } };`;

export async function startWorkerd(): Promise<Workerd | { readonly missing: string }> {
  const binary = await findBinary();
  if (binary === undefined) return { missing: `there is no package @cloudflare/workerd-${platform()}@${VERSION} to be had` };
  await using stack = new AsyncDisposableStack();
  const files = await mkdtemp(join(tmpdir(), 'airlock-workerd-'));
  stack.defer(() => rm(files, { recursive: true, force: true }));
  await writeFile(join(files, 'loader.js'), LOADER);
  await writeFile(join(files, 'config.capnp'), CONFIG);
  const workerd = startProcess({
    name: 'workerd',
    command: binary,
    args: ['serve', '--experimental', '--control-fd=1', join(files, 'config.capnp')],
    env: { PATH: process.env['PATH'] },
  });
  stack.defer(() => workerd.stop());
  const port = await workerd.waitForLine(portOf, { withinMs: 20_000, what: 'its port' });
  const url = `http://127.0.0.1:${port}/`;
  const ask = async (method: string, body: string): Promise<string> => {
    const response = await fetch(url, { method, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`workerd: ${response.status} ${text.slice(0, 500)}`);
    return text;
  };
  const owned = stack.move();
  return {
    give: async (script) => void (await ask('PUT', asWorker(script))),
    request: async () => {
      const text = await ask('POST', JSON.stringify({ name: 'Contoso', amount: 1_000 }));
      if (!text.includes('rule 0')) throw new Error(`workerd answered something else: ${text.slice(0, 200)}`);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function portOf(line: string): number | undefined {
  return /"event":"listen".*"port":(\d+)/.exec(line)?.slice(1).map(Number)[0];
}

const platform = (): string => `${process.platform}-${process.arch === 'x64' ? '64' : process.arch}`;

async function findBinary(): Promise<string | undefined> {
  const name = `@cloudflare/workerd-${platform()}`;
  const binary = join(directory, 'node_modules', name, 'bin', 'workerd');
  try {
    await access(binary);
    return binary;
  } catch {
    await mkdir(directory, { recursive: true });
  }
  try {
    // Its binary comes with the package: no script of it has to run.
    const args = ['install', '--prefix', directory, '--ignore-scripts', '--no-save', '--no-audit', '--no-fund', `${name}@${VERSION}`];
    await run('npm', args, { timeout: INSTALL_MS });
    await access(binary);
    return binary;
  } catch {
    return undefined;
  }
}
