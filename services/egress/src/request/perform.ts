import type { EgressEnd, EgressHop, EgressMethod, EgressOrder, EgressRefusal } from '@airlock/protocol';
import { MAX_EGRESS_HOPS } from '@airlock/protocol';
import type { AddressRules } from '../addresses/resolve.ts';
import { type ExchangeEnd, exchange } from './exchange.ts';
import { type RequestHeaders, requestHeaders } from './request-headers.ts';
import { isGranted, nameOf, type Target, targetOf } from './target.ts';

export interface PerformOptions extends AddressRules {
  /** Without it a grant for http counts for nothing. */
  readonly allowPlainHttp: boolean;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
}

export interface Performed {
  readonly hops: readonly EgressHop[];
  readonly end: EgressEnd;
}

interface Hop {
  readonly target: Target;
  readonly method: EgressMethod;
  readonly headers: RequestHeaders;
  readonly body: Buffer | undefined;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Meant for the host that they were sent to. */
const OF_ONE_HOST = ['authorization', 'cookie', 'x-api-key'];
const OF_THE_BODY = ['content-type', 'content-language', 'content-location', 'content-encoding'];

/** A granted request with its redirects, each of which is checked as if a plug-in had asked for it. Never throws. */
export async function perform(order: EgressOrder, options: PerformOptions): Promise<Performed> {
  const { request } = order;
  const hops: EgressHop[] = [];
  const refuse = (refusal: EgressRefusal, message: string): Performed => ({ hops, end: { ok: false, refusal, message } });
  const first = targetOf(request.url);
  if (first === undefined) return refuse('url-invalid', 'the URL is not an absolute https or http address without user information');
  const given = requestHeaders(request.headers);
  if (!given.ok) return refuse('request-invalid', given.problem);
  const body = request.body === undefined ? undefined : Buffer.from(request.body, 'base64');
  if (body !== undefined && (request.method === 'GET' || request.method === 'HEAD')) {
    return refuse('request-invalid', `a ${request.method} request has no body`);
  }
  let hop: Hop = { target: first, method: request.method, headers: given.headers, body };
  for (let count = 0; count <= MAX_EGRESS_HOPS; count += 1) {
    const { end, entry } = await oneHop(order, hop, options);
    hops.push(entry);
    if (end.kind === 'refused') return refuse(end.refusal, sentenceOf(end.refusal, hop, order));
    const location = end.headers.find(([name]) => name === 'location')?.[1];
    if (!REDIRECTS.has(end.status) || location === undefined || request.redirect === 'manual') {
      return { hops, end: { ok: true, answer: answerOf(hop, end, count > 0) } };
    }
    if (request.redirect === 'error') return refuse('redirect-refused', `${nameOf(hop.target)} redirects, and the request said redirect: 'error'`);
    const next = targetOf(location, hop.target.url);
    if (next === undefined) return refuse('url-invalid', `${nameOf(hop.target)} redirects to what is no https or http address`);
    hop = afterRedirect(hop, next, end.status);
  }
  return refuse('too-many-redirects', `more than ${MAX_EGRESS_HOPS} redirects`);
}

async function oneHop(order: EgressOrder, hop: Hop, options: PerformOptions): Promise<{ readonly end: ExchangeEnd; readonly entry: EgressHop }> {
  const startedMs = options.nowMs();
  const { target, method, body } = hop;
  const refusal = refusalOf(order, hop, options);
  const end: ExchangeEnd =
    refusal === undefined
      ? await exchange({ ...hop, ...options, responseBytes: order.responseBytes })
      : { kind: 'refused', refusal, receivedBytes: 0 };
  const entry: EgressHop = {
    scheme: target.scheme,
    host: target.host.slice(0, 255),
    port: target.port,
    method,
    ...(end.kind === 'answered' ? { status: end.status } : { refusal: end.refusal }),
    sentBytes: refusal === undefined ? (body?.length ?? 0) : 0,
    receivedBytes: end.receivedBytes,
    durationMs: Math.max(0, options.nowMs() - startedMs),
  };
  return { end, entry };
}

function refusalOf({ targets }: EgressOrder, { target, method }: Hop, { allowPlainHttp }: PerformOptions): EgressRefusal | undefined {
  if (!isGranted(target, method, targets)) return 'not-granted';
  return target.scheme === 'http' && !allowPlainHttp ? 'scheme-off' : undefined;
}

function answerOf({ target }: Hop, end: Extract<ExchangeEnd, { kind: 'answered' }>, redirected: boolean) {
  const { status, statusText, headers, body } = end;
  return { status, statusText, url: target.url.href.slice(0, 8_192), redirected, headers, body: body.toString('base64') };
}

/** 303, and 301 or 302 after a POST, turn into a GET without a body, as in every browser. */
function afterRedirect({ target, method, headers, body }: Hop, next: Target, status: number): Hop {
  const becomesGet = (status === 303 && method !== 'GET' && method !== 'HEAD') || ((status === 301 || status === 302) && method === 'POST');
  const isSameOrigin = next.url.origin === target.url.origin;
  const dropped = [...(isSameOrigin ? [] : OF_ONE_HOST), ...(becomesGet ? OF_THE_BODY : [])];
  return {
    target: next,
    method: becomesGet ? 'GET' : method,
    headers: new Map([...headers].filter(([name]) => !dropped.includes(name))),
    body: becomesGet ? undefined : body,
  };
}

function sentenceOf(refusal: EgressRefusal, { target, method }: Hop, { responseBytes }: EgressOrder): string {
  const where = nameOf(target);
  switch (refusal) {
    case 'not-granted':
      return `${method} ${where} is not granted to this step`;
    case 'scheme-off':
      return `${where} is granted, but the egress process refuses plain http (AIRLOCK_EGRESS_ALLOW_HTTP)`;
    case 'address-refused':
      return `${where} has an address that is not public`;
    case 'name-unknown':
      return `the name of ${where} has no address`;
    case 'certificate':
      return `no trusted TLS connection could be made to ${where}`;
    case 'timed-out':
      return `${where} did not answer in time`;
    case 'too-large':
      return `the answer of ${where} has more than ${responseBytes} bytes`;
    case 'response-invalid':
      return `the answer of ${where} is malformed or in an encoding that is not known`;
    case 'cancelled':
      return 'the execution has ended';
    default:
      return `${where} could not be reached or broke the connection off`;
  }
}
