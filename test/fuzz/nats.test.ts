import { readFileSync } from 'node:fs';
import {
  answerSubject,
  assignSubject,
  BundleRequest,
  bundleSubject,
  Cancellation,
  callSubject,
  cancelSubject,
  EgressCancellation,
  EgressHello,
  EgressOrder,
  EgressResult,
  egressCancelSubject,
  egressedSubject,
  egressHelloSubject,
  egressSubject,
  FetchCall,
  FetchRequest,
  fetchSubject,
  Hello,
  helloSubject,
  resultSubject,
  ServiceCall,
  ServiceRequest,
  WorkerInbound,
  WorkerReply,
  WorkerRequest,
} from '@airlock/protocol';
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { usePluginSystem } from '../support/plugin-system.ts';
import { anyJson, brokenJson } from './hostile-values.ts';
import { schemaArbitrary } from './schema-arbitrary.ts';
import { expectAlive, residentBytes } from './still-alive.ts';

/** What travels on the bus, from every side that could be somebody else's. Rule: nobody ends, and the next operation is served. */
const POOL = 'fuzzed';
const WORKERS = Array.from({ length: 8 }, (_, index) => `w${index}`);
const system = usePluginSystem({ pools: [{ pool: POOL, workerIds: WORKERS }], egressEnv: {} });
const RUN = { interruptAfterTimeLimit: 6_000, numRuns: 300, endOnFailure: true } as const;
/** The server refuses more; and that is not what is tried here. */
const MAX_PAYLOAD = 1_000_000;
const connections: NatsConnection[] = [];

function accessOf() {
  const { access } = system.airlock.nats;
  if (access === undefined) throw new Error('the bus of this system asks for keys');
  return access;
}
async function connectAs(keyFile: string): Promise<NatsConnection> {
  const seed = new TextEncoder().encode(readFileSync(keyFile, 'utf8').trim());
  const connection = await connect({ servers: system.airlock.nats.url, authenticator: nkeyAuthenticator(seed) });
  connections.push(connection);
  return connection;
}
function dispatcherId(): string {
  const [first] = system.airlock.dispatchers;
  const ready = first?.process.lines().find((line) => line.startsWith('{"ready":true'));
  return (JSON.parse(ready ?? '{}') as { dispatcherId?: string }).dispatcherId ?? '';
}

beforeAll(async () => {
  await system.install(`
    export const mark = definePlugin({
      steps: [{ name: 'mark', message: 'Create', table: 'account', stage: 'PreOperation' }],
      execute({ executionContext }) { executionContext.inputParameters.Target.attributes.description = 'marked'; },
    });`);
});
afterEach(() => expectAlive(system));
afterAll(() => Promise.all(connections.map((connection) => connection.close())));

/** A frame of lines as the schemas describe them, of any JSON, of broken JSON, or of bytes that are no text. */
function frameOf(...schemas: readonly Parameters<typeof schemaArbitrary>[0][]): fc.Arbitrary<Uint8Array> {
  const line = (schema: Parameters<typeof schemaArbitrary>[0]) =>
    fc.oneof({ arbitrary: schemaArbitrary(schema).map((value) => JSON.stringify(value) ?? ''), weight: 8 }, { arbitrary: brokenJson, weight: 1 });
  const lines = fc
    .tuple(
      ...schemas.map(line),
      fc.oneof(
        { arbitrary: fc.constant<string[]>([]), weight: 6 },
        {
          arbitrary: fc.array(
            anyJson.map((value) => JSON.stringify(value)),
            { maxLength: 2 },
          ),
          weight: 1,
        },
      ),
    )
    .map((parts) => parts.flat().join('\n'));
  return fc.oneof(
    { arbitrary: lines.map((text) => Buffer.from(text, 'utf8')), weight: 8 },
    { arbitrary: fc.uint8Array({ maxLength: 400 }), weight: 1 },
    { arbitrary: brokenJson.map((text) => Buffer.from(`${text}\n`.repeat(80)).subarray(0, MAX_PAYLOAD)), weight: 1 },
  );
}

test('a worker may send a dispatcher anything', async () => {
  const id = dispatcherId();
  const speakers = await Promise.all(
    WORKERS.map(async (workerId) => ({ address: { pool: POOL, workerId }, connection: await connectAs(accessOf().workerKeyFile(POOL, workerId)) })),
  );
  const verbs = [
    ['hello', frameOf(Hello)],
    ['result', frameOf(WorkerReply)],
    ['call', frameOf(ServiceCall, ServiceRequest)],
    ['fetch', frameOf(FetchCall, FetchRequest)],
    ['bundle', frameOf(BundleRequest)],
  ] as const;
  const subjects = { result: resultSubject, call: callSubject, fetch: fetchSubject, bundle: bundleSubject } as const;
  const message = fc.oneof(...verbs.map(([verb, frame]) => frame.map((bytes) => ({ verb, bytes }))));
  await fc.assert(
    fc.asyncProperty(message, fc.constantFrom(...speakers), async ({ verb, bytes }, { address, connection }) => {
      connection.publish(verb === 'hello' ? helloSubject(address) : subjects[verb](address, id), bytes);
      await connection.flush();
    }),
    RUN,
  );
});

test('a dispatcher may send a worker anything', async () => {
  const connection = await connectAs(accessOf().dispatcherKeyFile);
  const worker = { pool: 'default', workerId: 'worker-1' };
  const message = fc.oneof(
    frameOf(WorkerRequest).map((bytes) => ({ subject: assignSubject(worker), bytes })),
    frameOf(Cancellation).map((bytes) => ({ subject: cancelSubject(worker), bytes })),
    frameOf(WorkerInbound).map((bytes) => ({ subject: answerSubject(worker), bytes })),
  );
  await fc.assert(
    fc.asyncProperty(message, async ({ subject, bytes }) => {
      connection.publish(subject, bytes);
      await connection.flush();
    }),
    RUN,
  );
  // What was a valid assignment waits for a bundle that does not come; then the worker has its slots back.
  await expect
    .poll(async () => (await system.http.request('POST', 'accounts', { body: { name: 'after' } })).status, { timeout: 60_000, interval: 500 })
    .toBe(204);
});

test('a dispatcher and an egress process may send each other anything', async () => {
  const dispatcher = await connectAs(accessOf().dispatcherKeyFile);
  const egress = await connectAs(accessOf().egressKeyFile);
  const id = dispatcherId();
  const message = fc.oneof(
    frameOf(EgressOrder).map((bytes) => ({ connection: dispatcher, subject: egressSubject, bytes })),
    frameOf(EgressCancellation).map((bytes) => ({ connection: dispatcher, subject: egressCancelSubject, bytes })),
    frameOf(EgressResult).map((bytes) => ({ connection: egress, subject: egressedSubject(id), bytes })),
    frameOf(EgressHello).map((bytes) => ({ connection: egress, subject: egressHelloSubject, bytes })),
  );
  await fc.assert(
    fc.asyncProperty(message, async ({ connection, subject, bytes }) => {
      connection.publish(subject, bytes);
      await connection.flush();
    }),
    RUN,
  );
  // Its hellos go on: the process lives.
  await expect
    .poll(async () => ((await system.http.request('GET', '/readyz')).body as { egress: { processes: number } }).egress.processes, { timeout: 10_000 })
    .toBeGreaterThan(0);
  expect(system.airlock.logs()).not.toContain('a defect of the egress process');
});

test('all of it left dispatcher and worker within their memory', async () => {
  const [dispatcher] = system.airlock.dispatchers;
  const [worker] = system.airlock.workers;
  for (const pid of [dispatcher?.process.pid, worker?.pid]) expect(await residentBytes(pid ?? 0)).toBeLessThan(700 * 1024 * 1024);
});
