import type { AbortSignal } from './abort.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { withoutRuntimeFrames } from './describe.ts';
import { type CallEnd, currentExecution, makeCall } from './execution.ts';
import { Headers, installHeaders } from './headers.ts';
import { captureStackTrace, define, defineProperty } from './primordials.ts';

/** What the host answers: `FetchAnswer` of the protocol. */
interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

type Bytes = Uint8Array;
let fill: (response: Response, answer: Answer) => void;

/** The part of the standard's Response that needs no streams. */
export class Response {
  #status = 200;
  #statusText = '';
  #url = '';
  #redirected = false;
  #headers: Headers;
  #body: Bytes;
  #bodyUsed = false;

  static {
    fill = (response, { status, statusText, url, redirected, body }) => {
      response.#status = status;
      response.#statusText = statusText;
      response.#url = url;
      response.#redirected = redirected;
      response.#body = decodeBase64(body);
    };
  }

  constructor(body?: unknown, init: { readonly status?: unknown; readonly statusText?: unknown; readonly headers?: unknown } = {}) {
    const given = bodyOf(body);
    this.#headers = new Headers(init?.headers);
    if (given?.type !== undefined && !this.#headers.has('content-type')) this.#headers.set('content-type', given.type);
    this.#body = given?.bytes ?? new Uint8Array(0);
    const status = Number(init?.status ?? 200);
    if (!Number.isInteger(status) || status < 200 || status > 599) throw new RangeError('Response: the status must be from 200 to 599');
    this.#status = status;
    this.#statusText = String(init?.statusText ?? '');
  }

  get status(): number {
    return this.#status;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get url(): string {
    return this.#url;
  }

  get redirected(): boolean {
    return this.#redirected;
  }

  get type(): string {
    return 'basic';
  }

  get headers(): Headers {
    return this.#headers;
  }

  get bodyUsed(): boolean {
    return this.#bodyUsed;
  }

  #take(): Bytes {
    if (this.#bodyUsed) throw new TypeError('Response: the body was read already');
    this.#bodyUsed = true;
    return this.#body;
  }

  async text(): Promise<string> {
    return new globals.TextDecoder().decode(this.#take());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#take().slice().buffer as ArrayBuffer;
  }

  async bytes(): Promise<Bytes> {
    return this.#take().slice();
  }

  clone(): Response {
    if (this.#bodyUsed) throw new TypeError('Response: a body that was read cannot be cloned');
    const copy = new Response(this.#body, { status: this.#status, statusText: this.#statusText, headers: this.#headers });
    copy.#url = this.#url;
    copy.#redirected = this.#redirected;
    return copy;
  }

  get [Symbol.toStringTag](): string {
    return 'Response';
  }
}

/** Installed by other modules of the runtime; this package's types have no DOM. */
const globals = globalThis as unknown as {
  readonly TextEncoder: new () => { encode(text: string): Bytes };
  readonly TextDecoder: new () => { decode(bytes: Bytes): string };
  readonly URL: new (text: string) => { readonly href: string };
  readonly URLSearchParams: new () => object;
};

function bodyOf(body: unknown): { readonly bytes: Bytes; readonly type?: string } | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return { bytes: new globals.TextEncoder().encode(body), type: 'text/plain;charset=UTF-8' };
  if (body instanceof globals.URLSearchParams) {
    return { bytes: new globals.TextEncoder().encode(String(body)), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  }
  if (body instanceof ArrayBuffer) return { bytes: new Uint8Array(body) };
  if (ArrayBuffer.isView(body)) return { bytes: new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength) };
  throw new TypeError('fetch: the body must be a string, bytes or URLSearchParams');
}

interface Init {
  readonly method?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly signal?: AbortSignal | null;
  readonly redirect?: unknown;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const REDIRECTS = ['follow', 'manual', 'error'];

function requestText(input: unknown, init: Init): string {
  const url = new globals.URL(String(input)).href;
  const method = String(init.method ?? 'GET').toUpperCase();
  if (!METHODS.includes(method)) throw new TypeError(`fetch: the method '${method.slice(0, 32)}' is not allowed; ${METHODS.join(', ')} are`);
  const redirect = String(init.redirect ?? 'follow');
  if (!REDIRECTS.includes(redirect)) throw new TypeError("fetch: redirect must be 'follow', 'manual' or 'error'");
  const body = bodyOf(init.body);
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) throw new TypeError(`fetch: a ${method} request has no body`);
  const headers = new Headers(init.headers);
  if (body?.type !== undefined && !headers.has('content-type')) headers.set('content-type', body.type);
  return JSON.stringify({ url, method, redirect, headers: [...headers], ...(body !== undefined && { body: encodeBase64(body.bytes) }) });
}

/** Only to hosts that an operator granted to the step; everything else is refused by the host, with a text that says what to do. */
async function fetch(input: unknown, init: Init = {}): Promise<Response> {
  const execution = currentExecution();
  if (execution === undefined) throw new TypeError('fetch cannot be used while a bundle loads');
  const text = requestText(input, init ?? {});
  const signal = init?.signal ?? undefined;
  signal?.throwIfAborted();
  const site = {} as { stack: string };
  captureStackTrace(site, fetch);
  return new Promise<Response>((resolve, reject) => {
    const abort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', abort);
    makeCall(execution, 'fetch', text, (end) => {
      signal?.removeEventListener('abort', abort);
      try {
        if (end.kind === 'answer') resolve(responseOf(JSON.parse(end.text) as Answer));
        else reject(failureOf(end, site.stack));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function responseOf(answer: Answer): Response {
  const response = new Response(undefined, { headers: answer.headers });
  fill(response, answer);
  return response;
}

/** Made when the answer comes, on an empty stack; what helps the author is where the call was made. */
function failureOf(end: CallEnd, siteStack: string): Error {
  const message = end.kind === 'fault' ? String((JSON.parse(end.text) as { message?: unknown }).message) : end.text;
  const error = new TypeError(`fetch: ${message}`);
  const frames = withoutRuntimeFrames(siteStack);
  const first = frames.indexOf('\n');
  const stack = `TypeError: ${error.message}${first < 0 ? '' : frames.slice(first)}`;
  defineProperty(error, 'stack', { value: stack, writable: true, configurable: true, enumerable: false });
  return error;
}

export function installFetch(): void {
  installHeaders();
  Object.defineProperty(Response, 'name', { value: 'Response', configurable: true });
  define(globalThis, 'Response', Response);
  define(globalThis, 'fetch', fetch);
}
