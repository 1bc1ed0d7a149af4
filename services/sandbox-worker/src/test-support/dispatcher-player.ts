import { createHash, randomBytes } from 'node:crypto';
import { defaultSyncLimits, type StepLimits } from '@airlock/pipeline';
import {
  type AssignedStep,
  type Assignment,
  answerSubject,
  assignSubject,
  BUNDLE_CHUNK_BYTES,
  BundleRequest,
  cancelSubject,
  encodeFrame,
  FetchCall,
  Hello,
  helloSubject,
  type InspectionRequest,
  InspectionResult,
  PROTOCOL_VERSION,
  ServiceCall,
  splitFrame,
  toDispatcherWildcard,
  type WorkerAddress,
  WorkerReply,
} from '@airlock/protocol';
import { connect, type NatsConnection } from '@nats-io/transport-node';

/** Answers a service call of a guest: `ok` and the result, or a fault. */
export type ServiceReply = { readonly ok: boolean; readonly body: unknown };
export type Service = (request: Record<string, unknown>, call: ServiceCall) => ServiceReply | Promise<ServiceReply> | undefined;

export interface StepOptions {
  readonly code: string;
  readonly typeName?: string;
  readonly stateless?: boolean;
  readonly sourceMap?: string;
  /** The dispatcher does not have it when the worker asks. */
  readonly lost?: boolean;
  readonly limits?: Partial<StepLimits>;
  readonly configuration?: { readonly unsecure: string; readonly secure: string };
}

export interface RunOptions {
  readonly depth?: number;
  readonly budgetMs?: number;
  readonly organizationId?: string;
  readonly state?: unknown;
  readonly runId?: string;
}

export type Reply = { readonly message: WorkerReply; readonly state: string | undefined };

const emptyCollections = { inputParameters: {}, outputParameters: {}, sharedVariables: {} };
const NIL = '00000000-0000-0000-0000-000000000000';
const stageContext = {
  stage: 20,
  mode: 0,
  depth: 1,
  messageName: 'Update',
  primaryEntityName: 'account',
  primaryEntityId: NIL,
  requestId: NIL,
  correlationId: NIL,
  operationId: NIL,
  operationCreatedOn: '2026-01-01T00:00:00.000Z',
  initiatingUserId: NIL,
  authenticatedUserId: NIL,
  businessUnitId: NIL,
  organizationId: NIL,
  organizationName: 'test',
  isInTransaction: true,
  isExecutingOffline: false,
  isOfflinePlayback: false,
  parentContext: null,
};
const ownContext = {
  userId: NIL,
  preEntityImages: {},
  postEntityImages: {},
  owningExtension: { logicalName: 'sdkmessageprocessingstep', id: NIL },
  isolationMode: 2,
};

/** Plays the dispatcher over the real bus: assigns, serves bundles, answers service calls, hears results and hellos. */
export async function openDispatcherPlayer(natsUrl: string, worker: WorkerAddress, service: Service = () => ({ ok: true, body: {} })) {
  const connection: NatsConnection = await connect({ servers: natsUrl, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  const dispatcherId = `d${randomBytes(6).toString('hex')}`;
  const blobs = new Map<string, Buffer>();
  const waiting = new Map<string, (reply: Reply) => void>();
  const hellos: Hello[] = [];
  const calls: { readonly executionId: string; readonly atMs: number; readonly text: string }[] = [];
  let serve = service;

  connection.subscribe(toDispatcherWildcard('result', dispatcherId), {
    callback: (_, message) => {
      const [envelope = '', state] = splitFrame(message.string());
      const parsed = WorkerReply.parse(JSON.parse(envelope));
      waiting.get(parsed.runId)?.({ message: parsed, state });
      waiting.delete(parsed.runId);
    },
  });
  connection.subscribe(toDispatcherWildcard('call', dispatcherId), {
    callback: (_, message) => {
      const [envelope = '', request = ''] = splitFrame(message.string());
      const call = ServiceCall.parse(JSON.parse(envelope));
      calls.push({ executionId: call.executionId, atMs: performance.now(), text: request });
      const reply = ({ ok, body }: ServiceReply): void => {
        const { executionId, callId } = call;
        const head = { version: PROTOCOL_VERSION, kind: 'answer', executionId, callId, ok };
        connection.publish(answerSubject(worker), encodeFrame([JSON.stringify(head), JSON.stringify(body)]));
      };
      const answer = serve(JSON.parse(request) as Record<string, unknown>, call);
      if (answer instanceof Promise) void answer.then(reply);
      else if (answer !== undefined) reply(answer);
    },
  });
  connection.subscribe(toDispatcherWildcard('fetch', dispatcherId), {
    callback: (_, message) => {
      const { executionId, callId } = FetchCall.parse(JSON.parse(splitFrame(message.string())[0] ?? ''));
      const head = { version: PROTOCOL_VERSION, kind: 'answer', executionId, callId, ok: false };
      const body = { message: 'the step has no egress grant.' };
      connection.publish(answerSubject(worker), encodeFrame([JSON.stringify(head), JSON.stringify(body)]));
    },
  });
  connection.subscribe(toDispatcherWildcard('bundle', dispatcherId), {
    callback: (_, message) => {
      const { requestId, digest, part, chunk } = BundleRequest.parse(JSON.parse(message.string()));
      const blob = blobs.get(`${digest}/${part}`);
      const chunks = blob === undefined ? 0 : Math.max(1, Math.ceil(blob.length / BUNDLE_CHUNK_BYTES));
      const bytes = blob?.subarray(chunk * BUNDLE_CHUNK_BYTES, (chunk + 1) * BUNDLE_CHUNK_BYTES).toString('base64') ?? '';
      const head = { version: PROTOCOL_VERSION, kind: 'bundle-chunk', requestId, chunk, chunks };
      connection.publish(answerSubject(worker), encodeFrame([JSON.stringify(head), JSON.stringify(bytes)]));
    },
  });
  connection.subscribe(helloSubject(worker), { callback: (_, message) => void hellos.push(Hello.parse(JSON.parse(message.string()))) });
  await connection.flush();

  const bundleOf = ({ code, sourceMap, stateless = false, lost = false }: StepOptions) => {
    const blob = Buffer.from(code);
    const digest = createHash('sha256').update(blob).digest('hex');
    if (!lost) blobs.set(`${digest}/code`, blob);
    if (sourceMap !== undefined) blobs.set(`${digest}/source-map`, Buffer.from(sourceMap));
    return { digest, name: 'test-bundle', version: '1.0.0', uploadedAtMs: 1_700_000_000_000, stateless };
  };
  const stepOf = (options: StepOptions): AssignedStep => ({
    executionId: randomBytes(16).toString('base64url'),
    token: randomBytes(32).toString('base64url'),
    stepId: NIL,
    stepName: 'step under test',
    bundle: bundleOf(options),
    typeName: options.typeName ?? 'Plugin',
    limits: { ...defaultSyncLimits, ...options.limits },
    startMs: 1_750_000_000_000,
    seed: '0123456789abcdef0123456789abcdef',
  });
  const send = (runId: string, frame: string): Promise<Reply> => {
    const { promise, resolve } = Promise.withResolvers<Reply>();
    waiting.set(runId, resolve);
    connection.publish(assignSubject(worker), frame);
    return promise;
  };
  const newRunId = (): string => randomBytes(16).toString('base64url');

  return {
    dispatcherId,
    hellos,
    calls,
    connection,
    serveWith: (next: Service) => {
      serve = next;
    },
    run: (steps: readonly StepOptions[], options: RunOptions = {}): Promise<Reply> => {
      const assigned = steps.map(stepOf);
      const runId = options.runId ?? newRunId();
      const assignment: Assignment = {
        version: PROTOCOL_VERSION,
        kind: 'run',
        runId,
        dispatcherId,
        organizationId: options.organizationId ?? 'org-1',
        depth: options.depth ?? 1,
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        budgetMs: options.budgetMs ?? 30_000,
        steps: assigned,
      };
      const own = steps.map(({ configuration = { unsecure: '', secure: '' } }) => JSON.stringify({ ...ownContext, configuration }));
      const state = JSON.stringify(options.state ?? emptyCollections);
      return send(runId, encodeFrame([JSON.stringify(assignment), JSON.stringify(stageContext), state, ...own]));
    },
    inspect: async (step: StepOptions): Promise<InspectionResult> => {
      const runId = newRunId();
      const request: InspectionRequest = {
        version: PROTOCOL_VERSION,
        kind: 'inspect',
        runId,
        dispatcherId,
        organizationId: 'org-1',
        token: randomBytes(32).toString('base64url'),
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        budgetMs: 15_000,
        bundle: bundleOf(step),
        limits: { ...defaultSyncLimits, ...step.limits },
      };
      return InspectionResult.parse((await send(runId, encodeFrame([JSON.stringify(request)]))).message);
    },
    cancel: (runId: string) =>
      connection.publish(cancelSubject(worker), JSON.stringify({ version: PROTOCOL_VERSION, kind: 'cancel', runId, reason: 'test' })),
    /** Resolves with the first hello that fits. */
    helloThat: async (fits: (hello: Hello) => boolean, timeoutMs = 15_000): Promise<Hello> => {
      const until = performance.now() + timeoutMs;
      for (;;) {
        const found = hellos.findLast(fits);
        if (found !== undefined) return found;
        if (performance.now() > until) throw new Error(`no such hello within ${timeoutMs} ms`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
export type DispatcherPlayer = Awaited<ReturnType<typeof openDispatcherPlayer>>;
