import { connect, createServer, type Socket } from 'node:net';

/** What a network can do to a TCP connection that the two ends do not notice at once. */
export interface HalfOpenProxy extends AsyncDisposable {
  readonly port: number;
  /** Bytes stop flowing in both directions; the connections stay open, as behind a pulled cable. */
  stall(): void;
  /** Bytes flow again, those held back first. */
  resume(): void;
  /** Resets every connection; new ones are taken. */
  cut(): void;
  /** Refuses new connections until `accept`. */
  refuse(): void;
  accept(): void;
  readonly connections: number;
}

export async function startHalfOpenProxy(target: { readonly host: string; readonly port: number }): Promise<HalfOpenProxy> {
  const sockets = new Set<Socket>();
  let stalled = false;
  let refusing = false;

  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    if (stalled) socket.pause();
  };
  const server = createServer((client) => {
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(target);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        // Back-pressure: a slow reader slows the writer instead of filling our memory.
        if (!to.write(chunk)) from.pause();
      });
      to.on('drain', () => {
        if (!stalled) from.resume();
      });
      from.on('close', () => to.destroy());
      track(from);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');

  return {
    port: address.port,
    stall: () => {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    resume: () => {
      stalled = false;
      for (const socket of sockets) socket.resume();
    },
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    refuse: () => {
      refusing = true;
    },
    accept: () => {
      refusing = false;
    },
    get connections() {
      return sockets.size / 2;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
