import { readFileSync } from 'node:fs';
import { connect, type NatsConnection, nkeyAuthenticator, type TlsOptions } from '@nats-io/transport-node';

export interface BusConnectionOptions {
  readonly url: string;
  readonly name: string;
  /** The server let something not happen: a subject that the key may not use, most of all. */
  readonly onRefused: (error: Error) => void;
  /** Connected anew: what was on its way when the old connection broke is lost. */
  readonly onReconnect: () => void;
  readonly files: {
    readonly nkey: string | undefined;
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
  };
}

const RECONNECT_MS = 250;
const PING_MS = 5_000;

/** Throws when a file cannot be read; waits for a server that is not there yet. */
export async function openConnection({ url, name, files, onRefused, onReconnect }: BusConnectionOptions): Promise<NatsConnection> {
  // Read anew at each connection: a key that was exchanged needs no restart.
  const seed = (path: string) => () => new TextEncoder().encode(readFileSync(path, 'utf8').trim());
  if (files.nkey !== undefined) seed(files.nkey)();
  const connection = await connect({
    servers: url.split(','),
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    waitOnFirstConnect: true,
    pingInterval: PING_MS,
    maxPingOut: 2,
    ...(files.nkey !== undefined && { authenticator: nkeyAuthenticator(seed(files.nkey)) }),
    ...tlsOf(url, files),
  });
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'error') onRefused(status.error);
      if (status.type === 'reconnect') onReconnect();
    }
  })();
  return connection;
}

/** With an authority's file or a `tls://` address the connection is encrypted or is not made at all. */
function tlsOf(url: string, { ca, cert, key }: BusConnectionOptions['files']): { readonly tls?: TlsOptions } {
  if (ca === undefined && cert === undefined && !url.startsWith('tls://')) return {};
  return {
    tls: { ...(ca !== undefined && { caFile: ca }), ...(cert !== undefined && { certFile: cert }), ...(key !== undefined && { keyFile: key }) },
  };
}
