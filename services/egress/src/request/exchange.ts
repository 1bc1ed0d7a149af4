import type { IncomingMessage } from 'node:http';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { type EgressMethod, type EgressRefusal, MAX_EGRESS_HEADER_BYTES, MAX_EGRESS_HEADERS } from '@airlock/protocol';
import { type AddressRules, checkedAddresses, pinned } from '../addresses/resolve.ts';
import { type RequestHeaders, responseHeaders } from './request-headers.ts';
import type { Target } from './target.ts';

export interface ExchangeOptions extends AddressRules {
  readonly target: Target;
  readonly method: EgressMethod;
  readonly headers: RequestHeaders;
  readonly body: Buffer | undefined;
  /** Most bytes of the answer, as they come and decoded. */
  readonly responseBytes: number;
  /** Fires when time is up or nobody waits any more. */
  readonly signal: AbortSignal;
}

export type ExchangeEnd =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly statusText: string;
      readonly headers: [string, string][];
      readonly body: Buffer;
      readonly receivedBytes: number;
    }
  | { readonly kind: 'refused'; readonly refusal: EgressRefusal; readonly receivedBytes: number };

const USER_AGENT = 'airlock-egress';

/** Ends an exchange early; caught in this file. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: EgressRefusal;
  constructor(refusal: EgressRefusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

/** One request to one host and its answer, without redirects. Never throws: what goes wrong is a refusal. */
export async function exchange(options: ExchangeOptions): Promise<ExchangeEnd> {
  const received = { bytes: 0 };
  try {
    const checked = await orAborted(checkedAddresses(options.target.host, options), options.signal);
    if (!checked.ok) return { kind: 'refused', refusal: checked.refusal, receivedBytes: 0 };
    const response = await send(options, pinned(checked.addresses));
    const { statusCode = 0, statusMessage = '', rawHeaders } = response;
    if (statusCode < 200 || statusCode > 599) throw new Refused('response-invalid');
    const body = await readBody(response, options, received);
    return {
      kind: 'answered',
      status: statusCode,
      statusText: statusMessage.slice(0, 256),
      headers: responseHeaders(rawHeaders, 2 * MAX_EGRESS_HEADERS),
      body,
      receivedBytes: received.bytes,
    };
  } catch (error) {
    // A connection that is cut at the deadline only says that it was cut.
    const cause: unknown = options.signal.aborted && !(error instanceof Refused) ? options.signal.reason : error;
    return { kind: 'refused', refusal: refusalOf(cause), receivedBytes: received.bytes };
  }
}

/** A name that nobody answers for is not waited for beyond the deadline. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
    work.catch(() => undefined);
  }
}

/** A connection of its own, closed afterwards: nothing of one plug-in's exchange is there for the next one's. */
function send({ target, method, headers, body, signal }: ExchangeOptions, lookup: ReturnType<typeof pinned>): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = (target.scheme === 'https' ? requestTls : requestPlain)({
    host: target.host.startsWith('[') ? target.host.slice(1, -1) : target.host,
    port: target.port,
    path: `${target.url.pathname}${target.url.search}`,
    method,
    agent: false,
    lookup,
    signal,
    maxHeaderSize: MAX_EGRESS_HEADER_BYTES,
    setDefaultHeaders: false,
    insecureHTTPParser: false,
  });
  request.once('response', resolve);
  request.on('error', reject);
  request.once('upgrade', (_response, socket) => {
    socket.destroy();
    reject(new Refused('response-invalid'));
  });
  request.setHeader('host', target.url.host);
  request.setHeader('connection', 'close');
  request.setHeader('accept-encoding', 'gzip, deflate, br');
  request.setHeader('accept', '*/*');
  request.setHeader('user-agent', USER_AGENT);
  for (const [name, values] of headers) request.setHeader(name, [...values]);
  if (body !== undefined || method === 'POST' || method === 'PUT' || method === 'PATCH') request.setHeader('content-length', body?.length ?? 0);
  request.end(body);
  return promise;
}

async function readBody(response: IncomingMessage, { responseBytes }: ExchangeOptions, received: { bytes: number }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let decodedBytes = 0;
  try {
    // Before the decoder: an answer may be above the cap packed already.
    response.on('data', (chunk: Buffer) => {
      received.bytes += chunk.length;
      if (received.bytes > responseBytes) response.destroy(new Refused('too-large'));
    });
    for await (const chunk of decoded(response) as AsyncIterable<Buffer>) {
      decodedBytes += chunk.length;
      // Counted while it is unpacked: a kilobyte may hold a gigabyte.
      if (decodedBytes > responseBytes) throw new Refused('too-large');
      chunks.push(chunk);
    }
    if (!response.complete) throw new Refused('unreachable');
    return Buffer.concat(chunks, decodedBytes);
  } finally {
    response.destroy();
  }
}

function decoded(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  const decoder =
    encoding === 'gzip' || encoding === 'x-gzip'
      ? createGunzip()
      : encoding === 'deflate'
        ? createInflate()
        : encoding === 'br'
          ? createBrotliDecompress()
          : undefined;
  if (decoder !== undefined) return pipeline(response, decoder, () => undefined);
  // One after the other is a bomb's way in; one that is unknown would reach the plug-in as noise.
  if (encoding !== 'identity' && encoding !== '') throw new Refused('response-invalid');
  return response;
}

function refusalOf(error: unknown): EgressRefusal {
  if (error instanceof Refused) return error.refusal;
  if (!(error instanceof Error)) return 'unreachable';
  if (error.name === 'TimeoutError' || (error.cause instanceof Error && error.cause.name === 'TimeoutError')) return 'timed-out';
  if (error.name === 'AbortError') return 'cancelled';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (/CERT|SELF_SIGNED|ISSUER|^ERR_(SSL|TLS)|^EPROTO$/.test(code)) return 'certificate';
  if (code.startsWith('HPE_') || code === 'Z_DATA_ERROR' || code.startsWith('ERR_BROTLI') || code.startsWith('ERR__ERROR') || code === 'Z_BUF_ERROR')
    return 'response-invalid';
  return 'unreachable';
}
