import { fileURLToPath } from 'node:url';
import { startProcess } from '@airlock/local/process';
import { connect } from '@nats-io/transport-node';
import type { Lane } from './measure.ts';

const PAYLOAD = new TextEncoder().encode(JSON.stringify({ text: 'x'.repeat(2_000) }));

/** NATS alone: what a message there and back costs at least. */
export async function openNatsFloor(natsUrl: string): Promise<Lane & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const peer = startProcess({
    name: 'nats-peer',
    command: process.execPath,
    args: [fileURLToPath(new URL('./nats-peer.ts', import.meta.url)), natsUrl],
    env: { PATH: process.env['PATH'] },
  });
  stack.defer(() => peer.stop());
  await peer.waitForLine((line) => (line === 'ready' ? true : undefined), { withinMs: 20_000, what: 'ready' });
  const connection = await connect({ servers: natsUrl });
  stack.defer(() => connection.close());
  return {
    name: 'floor: NATS request and reply, 2 KB, two processes',
    run: () => connection.request('bench.echo', PAYLOAD),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
