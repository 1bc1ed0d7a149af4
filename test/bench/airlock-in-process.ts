import { parseConfig } from '@airlock/dispatcher/config';
import { type Dispatcher, startDispatcher } from '@airlock/dispatcher/dispatcher';
import { executeMessage } from '@airlock/dispatcher/execute-message';
import type { MessageRequest } from '@airlock/dispatcher/message';
import { bootstrapOperator, startWorker } from '@airlock/local/services';
import type { CorrelationId, ParameterCollection, RequestId, UserId } from '@airlock/pipeline';
import { createLogger, newTrace } from '@airlock/telemetry';

const SYSTEM = '00000000-0000-4000-8000-00000000a11c' as UserId;

/** A dispatcher in this process (so that HTTP is not measured with it) and one real worker. */
export interface BenchAirlock extends AsyncDisposable {
  readonly dispatcher: Dispatcher;
  /** The worker, whose children are sandbox processes. */
  readonly workerPid: number;
  defineTable(logicalName: string): Promise<void>;
  pushBundle(name: string, code: string, options?: { readonly stateless?: boolean }): Promise<void>;
  create(table: string): Promise<void>;
}

export interface BenchAirlockOptions {
  /** Sandbox processes that work at once. */
  readonly capacity: number;
  /** Two of them on one bus need two. */
  readonly pool?: string;
}

export async function startBenchAirlock(
  { databaseUrl, natsUrl }: { readonly databaseUrl: string; readonly natsUrl: string },
  { capacity, pool = 'bench' }: BenchAirlockOptions,
): Promise<BenchAirlock> {
  const stack = new AsyncDisposableStack();
  const environment = {
    DATABASE_URL: databaseUrl,
    NATS_URL: natsUrl,
    AIRLOCK_HTTP_PORT: '0',
    AIRLOCK_POOL: pool,
    AIRLOCK_RATE_PER_KEY: '10000000',
    AIRLOCK_LOG_LEVEL: 'error',
  };
  const config = parseConfig(environment, { randomId: pool });
  const dispatcher = stack.use(await startDispatcher(config, createLogger({ service: 'bench', level: 'error' })));
  const worker = await startWorker({ natsUrl, pool, env: { AIRLOCK_CAPACITY: String(capacity) } });
  stack.defer(() => worker.stop());
  const key = await bootstrapOperator(databaseUrl);
  let pushes = 0;
  const post = async (path: string, body: unknown): Promise<void> => {
    const response = await fetch(`${dispatcher.url}/api/airlock/v1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    await response.body?.cancel();
  };
  return {
    dispatcher,
    workerPid: worker.pid,
    defineTable: (logicalName) => post('tables', tableDefinition(logicalName)),
    pushBundle: (name, code, { stateless = false } = {}) =>
      // A bundle's version has to rise with its content.
      post('bundles', { manifest: { manifestVersion: 1, name, version: `1.0.${++pushes}`, sdkVersion: '0.0.0', stateless }, code }),
    create: async (table) => {
      const response = await executeMessage(dispatcher.operations, createRequest(dispatcher, table));
      if (!response.ok) throw new Error(`${response.fault.code} ${response.fault.message}`);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function tableDefinition(logicalName: string) {
  return {
    logicalName,
    displayName: logicalName,
    displayCollectionName: `${logicalName}s`,
    entitySetName: `${logicalName}s`,
    primaryNameAttribute: 'name',
    columns: [
      { logicalName: 'name', displayName: 'Name', type: 'string', maxLength: 160 },
      { logicalName: 'amount', displayName: 'Amount', type: 'money' },
      { logicalName: 'note', displayName: 'Note', type: 'string', maxLength: 160 },
    ],
  };
}

function createRequest({ operations }: Dispatcher, name: string): MessageRequest {
  const table = operations.metadata().tables.get(name);
  if (table === undefined) throw new Error(`no table ${name}`);
  const target: ParameterCollection = { logicalName: name, attributes: { name: 'Contoso', amount: 1_000 } };
  return {
    messageName: 'Create',
    table,
    inputParameters: { Target: target },
    caller: { userId: SYSTEM, role: 'operator', authenticatedUserId: SYSTEM },
    correlationId: crypto.randomUUID() as CorrelationId,
    requestId: crypto.randomUUID() as RequestId,
    trace: newTrace(),
  };
}
