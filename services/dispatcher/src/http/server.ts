import { randomUUID } from 'node:crypto';
import type { CorrelationId } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import type { Logger } from '@airlock/telemetry';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { KeyStore } from '../access/keys.ts';
import type { Caller, MessageRequest, MessageResponse } from '../execute-message/message.ts';
import type { Metadata } from '../metadata/table.ts';
import type { AirlockApi } from './airlock-api.ts';
import { type AirlockRoute, airlockRoutes, answerAirlock } from './airlock-routes.ts';
import { answerBrokenRequest, MAX_HEADER_BYTES } from './broken-request.ts';
import { parseConditions } from './conditions.ts';
import type { DataRequest, DataServices, OrganizationIds } from './data-request.ts';
import { answerData } from './data-routes.ts';
import { answerOfError } from './error-answer.ts';
import type { HttpAnswer } from './fault-response.ts';
import type { HttpLimits } from './limits.ts';
import { parsePreferences } from './preferences.ts';
import { parseQueryString } from './query-string.ts';
import { createReadiness, type Health, probeAnswer } from './readiness.ts';
import { originOf, routerUrl } from './request-url.ts';
import { callerOf, commonHeaders, newSession, type Session } from './session.ts';
import { createSignIn, type SignIn } from './sign-in.ts';

export type { Health } from './readiness.ts';

/** Decides whether one more request may run now. */
export interface Admission {
  enter(): { readonly ok: true; readonly release: () => void } | { readonly ok: false; readonly limit: number; readonly retryAfterSeconds: number };
}

export interface ServerDependencies {
  readonly executeMessage: (request: MessageRequest) => Promise<MessageResponse>;
  readonly metadata: () => Metadata;
  readonly keys: Pick<KeyStore, 'authenticate' | 'findUser'>;
  readonly airlock: AirlockApi;
  readonly health: () => Promise<Health>;
  readonly admission: Admission;
  readonly organization: OrganizationIds;
  readonly limits: HttpLimits;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** `https://host` for links in answers; without it the request's own Host is used. */
  readonly publicOrigin?: string;
}

const REQUEST_TIMEOUT_MS = 60_000;

/** The HTTP side of the dispatcher. Routes read and write; every decision is behind `executeMessage` and the injected functions. */
export function createServer(deps: ServerDependencies): FastifyInstance {
  const sessions = new WeakMap<FastifyRequest, Session>();
  const signIn = createSignIn(deps);
  const readiness = createReadiness(deps);
  const server = fastify({
    logger: false,
    bodyLimit: deps.limits.bodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    exposeHeadRoutes: false,
    // What arrives on an open connection during a shutdown is answered as usual; fastify's own 503 has another error shape.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 512 },
    http: { maxHeaderSize: MAX_HEADER_BYTES },
    rewriteUrl: (request) => routerUrl(request.url ?? '/'),
    clientErrorHandler: answerBrokenRequest,
  });
  const sessionOf = (request: FastifyRequest): Session => sessions.get(request) ?? newSession(request, deps);

  // Bodies stay bytes: whether and how they are read is the route's business, whatever the content type says.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  server.addHook('onRequest', async (request, reply) => {
    const session = newSession(request, deps);
    sessions.set(request, session);
    reply.headers(commonHeaders(session));
    const isProbe = session.target.kind === 'health' && request.method === 'GET';
    if (!isProbe) session.caller = await admitCaller(request, signIn, deps.limits);
  });
  server.addHook('onResponse', async (request, reply) => logOutcome(deps, request, reply, sessionOf(request)));
  server.setErrorHandler((error, request, reply) => send(reply, errorAnswer(deps, request, sessionOf(request), error)));
  server.setNotFoundHandler((request, reply) => {
    const error = new PlatformError('REQUEST_URI_NOT_FOUND', { uri: request.originalUrl.slice(0, 1_024) });
    return send(reply, errorAnswer(deps, request, sessionOf(request), error));
  });

  /** Wraps an answer: admission around it, errors into faults. */
  const handle =
    (answer: (request: FastifyRequest, session: Session) => Promise<HttpAnswer>) => async (request: FastifyRequest, reply: FastifyReply) => {
      const session = sessionOf(request);
      let outcome: HttpAnswer;
      try {
        outcome = await admitted(deps.admission, () => answer(request, session));
      } catch (error) {
        outcome = errorAnswer(deps, request, session, error);
      }
      return send(reply, outcome);
    };
  server.route({
    method: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'],
    url: '/data',
    handler: handle(async (request, session) => {
      const { dataRequest, path } = await readDataRequest(request, session, signIn, deps);
      return answerData(dataRequest, dataServices(deps), path);
    }),
  });
  for (const route of airlockRoutes) addAirlockRoute(server, route, deps, handle);
  server.get('/healthz', (_request, reply) => send(reply, probeAnswer(200, { status: 'alive' })));
  server.get('/readyz', async (_request, reply) => send(reply, await readiness()));
  return server;
}

async function admitCaller(request: FastifyRequest, signIn: SignIn, limits: HttpLimits): Promise<Caller> {
  const caller = await signIn.authenticate(request.headers, request.ip);
  if (request.originalUrl.length > limits.urlChars) throw new PlatformError('URL_TOO_LONG', { limit: limits.urlChars });
  return caller;
}

async function admitted(admission: Admission, answer: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
  const entry = admission.enter();
  if (!entry.ok) throw new PlatformError('OVERLOADED', { limit: entry.limit, retryAfterSeconds: entry.retryAfterSeconds });
  try {
    return await answer();
  } finally {
    entry.release();
  }
}

async function readDataRequest(request: FastifyRequest, session: Session, signIn: SignIn, deps: ServerDependencies) {
  const { target } = session;
  if (target.kind !== 'data') throw new PlatformError('REQUEST_URI_NOT_FOUND', { uri: request.originalUrl.slice(0, 1_024) });
  const { headers } = request;
  const dataRequest: DataRequest = {
    method: request.method,
    root: `${deps.publicOrigin ?? originOf(request.protocol, headers.host)}${target.rootPath}`,
    options: parseQueryString(target.query),
    body: bodyOf(request),
    preferences: parsePreferences(headers['prefer']),
    conditions: parseConditions(headers['if-match'], headers['if-none-match']),
    caller: await signIn.impersonate(headers, callerOf(session)),
    // The first message of a request begins its correlation.
    correlationId: randomUUID() as string as CorrelationId,
    requestId: session.requestId,
    trace: session.trace,
  };
  return { dataRequest, path: target.path };
}

function dataServices(deps: ServerDependencies): DataServices {
  const { executeMessage, organization, limits } = deps;
  return { executeMessage, organization, limits, metadata: deps.metadata() };
}

type Handle = (
  answer: (request: FastifyRequest, session: Session) => Promise<HttpAnswer>,
) => (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

function addAirlockRoute(server: FastifyInstance, route: AirlockRoute, deps: ServerDependencies, handle: Handle): void {
  server.route<{ Params: Record<string, string> }>({
    method: route.method,
    url: `/api/airlock/v1/${route.path}`,
    bodyLimit: bodyBytesOf(route, deps.limits),
    handler: handle((request, session) => {
      const query = session.target.kind === 'airlock' ? session.target.query : '';
      const airlockRequest = {
        caller: callerOf(session),
        trace: session.trace,
        // The router's parameters are texts.
        params: request.params as Record<string, string>,
        options: parseQueryString(query),
        body: bodyOf(request),
        jsonDepth: deps.limits.jsonDepth,
      };
      return answerAirlock(route, airlockRequest, deps.airlock);
    }),
  });
}

function bodyBytesOf(route: AirlockRoute | undefined, limits: HttpLimits): number {
  return route?.large === true ? limits.bundleBodyBytes : limits.bodyBytes;
}

function bodyOf({ body }: FastifyRequest): Buffer | undefined {
  return Buffer.isBuffer(body) ? body : undefined;
}

function errorAnswer(deps: ServerDependencies, request: FastifyRequest, { trace }: Session, error: unknown): HttpAnswer {
  const { annotations } = parsePreferences(request.headers['prefer']);
  return answerOfError(error, {
    trace,
    annotations,
    limits: deps.limits,
    bodyBytes: request.routeOptions.bodyLimit ?? deps.limits.bodyBytes,
    logger: deps.logger,
  });
}

function send(reply: FastifyReply, { status, headers, body }: HttpAnswer): FastifyReply {
  // As bytes: of a text, fastify would add a charset to the content type, which clients of this API compare literally.
  return reply
    .code(status)
    .headers(headers)
    .send(body === undefined ? undefined : Buffer.from(body, 'utf8'));
}

/** One line for each request at the edge that owns it; never the query string, which may hold what people searched for. */
function logOutcome({ logger, nowMs }: ServerDependencies, request: FastifyRequest, reply: FastifyReply, session: Session): void {
  const { target, trace, caller, startedAtMs } = session;
  const path = target.kind === 'data' || target.kind === 'airlock' ? target.path.slice(0, 256) : target.kind;
  const fields = {
    method: request.method,
    path,
    status: reply.statusCode,
    durationMs: nowMs() - startedAtMs,
    traceId: trace.traceId,
    userId: caller?.userId,
  };
  if (target.kind === 'health') logger.trace(fields, 'request');
  else logger.info(fields, 'request');
}
