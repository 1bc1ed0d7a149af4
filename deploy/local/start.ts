/** `npm start`: see `--help`. The only file here that reads the environment, takes signals and ends the process. */
import { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runDemo } from './demo.ts';
import { loadExamples } from './load-examples.ts';
import { type LocalSystem, LocalSystemError, runningSystem, startLocalSystem } from './local-system.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HELP = `npm start -- [options]
  --port <n>       listen on this port, or fail; default: 8080 or that of the last time, else a free one
  --demo           run the demonstration against the started system, then stop; exit code 0 when all went as expected
  --once           stop as soon as everything is up and loaded
  --no-examples    load no example tables, records and plug-ins
  --state <dir>    keep data and logs there; default: .airlock
DATABASE_URL and NATS_URL replace the embedded Postgres and the nats-server; AIRLOCK_NATS_KEYS names the directory with the
keys for that server (see deploy/nats/README.md), when it asks for keys.`;

const say = (text: string) => console.error(`airlock: ${text}`);

function options() {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      port: { type: 'string' },
      demo: { type: 'boolean', default: false },
      once: { type: 'boolean', default: false },
      examples: { type: 'boolean', default: true },
      state: { type: 'string', default: join(ROOT, '.airlock') },
      help: { type: 'boolean', default: false },
    },
  });
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new LocalSystemError(`--port must be a number from 1 to 65535, not "${values.port ?? ''}".`);
  }
  return { ...values, port, state: resolve(values.state) };
}

/** Resolves when somebody asks us to end: a signal, or the launcher that started us being gone. */
function untilAsked(): Promise<string> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => done(signal));
    const descriptor = process.env['AIRLOCK_LAUNCHER_FD'];
    if (descriptor === undefined) return;
    const launcher = new Socket({ fd: Number(descriptor), readable: true, writable: false });
    launcher.on('error', () => undefined);
    launcher.on('close', () => done('the end of the launcher'));
    launcher.resume();
    launcher.unref();
  });
}

function welcome({ url, token }: LocalSystem): string {
  const key = `-H 'Authorization: Bearer ${token}'`;
  const json = `-H 'Content-Type: application/json'`;
  return `
Airlock runs at ${url}
Sign-in token:  ${token}

Try:
  curl -s ${key} '${url}/api/data/v9.2/accounts?$select=name,accountnumber,telephone1&$top=3'
  curl -si ${key} ${json} -H 'Prefer: return=representation' -d '{"name":"Contoso","telephone1":"044 668 18 00"}' '${url}/api/data/v9.2/accounts'
  curl -s ${key} ${json} -d '{"name":"Too much","creditlimit":5000000,"revenue":1000}' '${url}/api/data/v9.2/accounts'

Logs are in .airlock/logs, addresses for tools in .airlock/dev.json. Ctrl-C ends everything.
`;
}

async function main(): Promise<number> {
  const { help, port, demo, once, examples, state } = options();
  if (help) {
    console.log(HELP);
    return 0;
  }
  const running = demo ? await runningSystem(state) : undefined;
  if (running !== undefined) {
    say(`the demonstration uses the system that runs at ${running.url}`);
    return (await runDemo(running)) ? 0 : 1;
  }
  let giveUp: (problem: string) => void = () => undefined;
  const gaveUp = new Promise<string>((done) => {
    giveUp = done;
  });
  const asked = untilAsked();
  const work = async (): Promise<number> => {
    await using system = await startLocalSystem({
      directory: state,
      toolchainDirectory: join(ROOT, '.airlock', 'toolchain'),
      ...(port === undefined ? {} : { port }),
      ...(process.env['DATABASE_URL'] ? { databaseUrl: process.env['DATABASE_URL'] } : {}),
      ...(process.env['NATS_URL'] ? { natsUrl: process.env['NATS_URL'] } : {}),
      ...(process.env['AIRLOCK_NATS_KEYS'] ? { natsKeysDirectory: resolve(process.env['AIRLOCK_NATS_KEYS']) } : {}),
      say,
      onGiveUp: (problem) => giveUp(problem),
    });
    const loading = examples ? loadExamples(system, say) : Promise.resolve(undefined);
    const loaded = await Promise.race([loading, asked]);
    if (typeof loaded === 'string') return 0;
    if (loaded !== undefined) say(`examples: ${loaded.tables} tables, ${loaded.records} records and ${loaded.bundles} bundles were new`);
    if (demo) return (await Promise.race([runDemo(system), asked.then(() => false)])) ? 0 : 1;
    console.log(welcome(system));
    if (once) return 0;
    const reason = await Promise.race([asked, gaveUp.then((problem) => new LocalSystemError(problem))]);
    if (reason instanceof Error) throw reason;
    say(`stopping (${reason})`);
    return 0;
  };
  return work();
}

try {
  process.exitCode = await main();
} catch (error) {
  say(
    error instanceof LocalSystemError
      ? error.message
      : `it did not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  process.exitCode = 1;
}
