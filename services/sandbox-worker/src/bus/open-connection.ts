import { readFileSync } from 'node:fs';
import { type Authenticator, connect, credsAuthenticator, type NatsConnection, nkeyAuthenticator, type TlsOptions } from '@nats-io/transport-node';

export interface BusFiles {
  /** Seed of an nkey. */
  readonly nkey: string | undefined;
  /** An nkey and a JWT, for servers in operator mode. */
  readonly credentials: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export interface BusConnectionOptions {
  readonly url: string;
  readonly name: string;
  readonly files: BusFiles;
}

const RECONNECT_MS = 500;
const PING_MS = 5_000;

/** Throws when a file cannot be read; waits for a server that is not there yet. */
export async function openConnection({ url, name, files }: BusConnectionOptions): Promise<NatsConnection> {
  return await connect({
    servers: url.split(','),
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    waitOnFirstConnect: true,
    pingInterval: PING_MS,
    maxPingOut: 2,
    ...authenticatorOf(files),
    ...tlsOf(url, files),
  });
}

/** The seed is read anew at each connection: a key that was exchanged needs no restart. */
function authenticatorOf({ nkey, credentials }: BusFiles): { readonly authenticator?: Authenticator } {
  if (credentials !== undefined) return { authenticator: credsAuthenticator(readFileSync(credentials)) };
  if (nkey === undefined) return {};
  const seed = () => new TextEncoder().encode(readFileSync(nkey, 'utf8').trim());
  seed();
  return { authenticator: nkeyAuthenticator(seed) };
}

/** With an authority's file or a `tls://` address the connection is encrypted or is not made at all. */
function tlsOf(url: string, { ca, cert, key }: BusFiles): { readonly tls?: TlsOptions } {
  if (ca === undefined && cert === undefined && !url.startsWith('tls://')) return {};
  return {
    tls: { ...(ca !== undefined && { caFile: ca }), ...(cert !== undefined && { certFile: cert }), ...(key !== undefined && { keyFile: key }) },
  };
}
