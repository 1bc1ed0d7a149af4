/** The two walls one by one, on a real server: what the account holds when the allow-list is gone, and what only the allow-list holds. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { keyInFile, type NatsKey } from './keys.ts';
import { renderNatsConfiguration } from './render-configuration.ts';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was bound');
  return address.port;
}

/** `change` edits the configuration before the server reads it: a mistake of an operator. */
async function startBus(change: (text: string) => string) {
  const stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'airlock-accounts-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const key = (name: string) => keyInFile(join(directory, `${name}.nk`));
  const keys = { dispatcher: await key('dispatcher'), egress: await key('egress'), named: await key('named'), shared: await key('shared') };
  const port = await freePort();
  const text = renderNatsConfiguration({
    host: '127.0.0.1',
    port,
    serverName: 'accounts',
    dispatcherKeys: [keys.dispatcher.publicKey],
    egressKeys: [keys.egress.publicKey],
    pools: [
      { pool: 'p', workers: [{ workerId: 'a', key: keys.named.publicKey }] },
      { pool: 'q', workers: [], sharedKeys: [keys.shared.publicKey] },
    ],
  });
  const file = join(directory, 'bus.conf');
  await writeFile(file, change(text));
  const server = spawn('nats-server', ['-c', file], { stdio: 'ignore' });
  stack.defer(async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  });
  const as = async ({ seedFile }: NatsKey): Promise<NatsConnection> => {
    const seed = new TextEncoder().encode((await readFile(seedFile, 'utf8')).trim());
    const options = { servers: `nats://127.0.0.1:${port}`, authenticator: nkeyAuthenticator(seed), waitOnFirstConnect: true, reconnectTimeWait: 20 };
    return stack.adopt(await connect({ ...options, maxReconnectAttempts: 500 }), (connection) => connection.close());
  };
  return { keys, as, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function hear(connection: NatsConnection, subject: string): string[] {
  const heard: string[] = [];
  connection.subscribe(subject, { callback: (error, message) => void (error === null && heard.push(message.subject)) });
  return heard;
}

/** After it, whatever was published before has come to whoever may hear it: a server hands messages of one connection on in order. */
async function settle(...connections: readonly NatsConnection[]): Promise<void> {
  for (let round = 0; round < 2; round++) for (const connection of connections) await connection.flush();
}

const withoutAllowLists = (text: string) =>
  text.replace(/permissions: .*$/gm, 'permissions: { publish: { allow: [">"] }, subscribe: { allow: [">"] } } }');

test('without its allow-list a worker still cannot speak for another pool, nor hear it, nor reach the dispatchers’ account', async () => {
  await using bus = await startBus(withoutAllowLists);
  const [dispatcher, p, q] = [await bus.as(bus.keys.dispatcher), await bus.as(bus.keys.named), await bus.as(bus.keys.shared)];
  const atDispatcher = hear(dispatcher, 'airlock.v1.>');
  const atP = hear(p, '>');
  const atQ = hear(q, '>');
  await settle(dispatcher, p, q);
  for (const subject of [
    'airlock.v1.hello.q.a',
    'airlock.v1.result.q.a.d',
    'airlock.v1.changed',
    'airlock.v1.unheard.d.run',
    'airlock.v1.egressed.d',
  ]) {
    p.publish(subject, 'forged');
  }
  p.publish('airlock.v1.assign.q.a', 'forged');
  p.publish('airlock.v1.hello.p.a', 'its own');
  dispatcher.publish('airlock.v1.assign.q.a', 'for q');
  dispatcher.publish('airlock.v1.core.secret', 'for dispatchers');
  dispatcher.publish('airlock.v1.egress.perform', 'for egress');
  await settle(p, dispatcher, q);
  await expect.poll(() => atQ).toEqual(['airlock.v1.assign.q.a']);
  await expect.poll(() => atDispatcher).toContain('airlock.v1.hello.p.a');
  const own = ['airlock.v1.assign.q.a', 'airlock.v1.core.secret', 'airlock.v1.egress.perform', 'airlock.v1.hello.p.a'];
  expect(atDispatcher.toSorted()).toEqual(own);
  const itsOwn = ['airlock.v1.hello.q.a', 'airlock.v1.result.q.a.d', 'airlock.v1.changed', 'airlock.v1.unheard.d.run', 'airlock.v1.egressed.d'];
  expect(atP).toEqual([...itsOwn, 'airlock.v1.assign.q.a', 'airlock.v1.hello.p.a']);
});

test('who holds the key of a whole pool may speak and hear as any worker of it, and of it alone', async () => {
  await using bus = await startBus((text) => text);
  const [dispatcher, shared] = [await bus.as(bus.keys.dispatcher), await bus.as(bus.keys.shared)];
  const atDispatcher = hear(dispatcher, 'airlock.v1.hello.*.*');
  const own = hear(shared, 'airlock.v1.assign.q.somebody');
  const foreign = hear(shared, 'airlock.v1.assign.p.a');
  await settle(dispatcher, shared);
  for (const subject of ['airlock.v1.hello.q.x', 'airlock.v1.hello.q.y', 'airlock.v1.hello.p.a']) shared.publish(subject, '');
  for (const subject of ['airlock.v1.assign.q.somebody', 'airlock.v1.assign.p.a']) dispatcher.publish(subject, '');
  await settle(shared, dispatcher);
  await expect.poll(() => atDispatcher).toEqual(['airlock.v1.hello.q.x', 'airlock.v1.hello.q.y']);
  await expect.poll(() => own).toEqual(['airlock.v1.assign.q.somebody']);
  expect(foreign).toEqual([]);
});

test('the server tells a dispatcher at once when nobody listens on a worker’s subject, across accounts', async () => {
  await using bus = await startBus((text) => text);
  const [dispatcher, worker] = [await bus.as(bus.keys.dispatcher), await bus.as(bus.keys.named)];
  const codes: (number | undefined)[] = [];
  dispatcher.subscribe('airlock.v1.unheard.d.*', { callback: (_, message) => void codes.push(message.headers?.code) });
  const heard = hear(worker, 'airlock.v1.assign.p.a');
  await settle(worker, dispatcher);
  dispatcher.publish('airlock.v1.assign.p.a', '', { reply: 'airlock.v1.unheard.d.one' });
  await expect.poll(() => heard).toHaveLength(1);
  expect(codes).toEqual([]);
  dispatcher.publish('airlock.v1.assign.p.gone', '', { reply: 'airlock.v1.unheard.d.two' });
  await expect.poll(() => codes).toEqual([503]);
});

test('the egress process hears its orders and nothing of workers', async () => {
  await using bus = await startBus((text) => text);
  const [dispatcher, egress] = [await bus.as(bus.keys.dispatcher), await bus.as(bus.keys.egress)];
  const orders = hear(egress, 'airlock.v1.egress.perform');
  const others = ['>', 'airlock.v1.result.*.*.*', 'airlock.v1.assign.p.a', 'airlock.v1.changed'].map((subject) => hear(egress, subject));
  const atDispatcher = hear(dispatcher, 'airlock.v1.changed');
  await settle(dispatcher, egress);
  dispatcher.publish('airlock.v1.assign.p.a', '');
  dispatcher.publish('airlock.v1.egress.perform', '');
  egress.publish('airlock.v1.assign.p.a', 'forged');
  egress.publish('airlock.v1.changed', 'forged');
  await settle(egress, dispatcher);
  await expect.poll(() => orders).toHaveLength(1);
  expect([...others.flat(), ...atDispatcher]).toEqual([]);
});
