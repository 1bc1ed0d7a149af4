/**
 * NATS subjects. Who speaks is part of the subject, so that permissions (and later the account of a pool) fix it:
 * a worker may publish only below its own name and hears only its own three subjects. No message is answered on a
 * subject that its sender chose.
 */
const PREFIX = 'airlock.v1';
const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

function token(value: string): string {
  if (!TOKEN.test(value)) throw new RangeError(`not a subject token: ${JSON.stringify(value.slice(0, 80))}`);
  return value;
}

export interface WorkerAddress {
  readonly pool: string;
  readonly workerId: string;
}

const below = (verb: string, { pool, workerId }: WorkerAddress) => `${PREFIX}.${verb}.${token(pool)}.${token(workerId)}`;

/** Dispatcher → worker. */
export const assignSubject = (worker: WorkerAddress) => below('assign', worker);
export const cancelSubject = (worker: WorkerAddress) => below('cancel', worker);
/** Answers to service calls and bundle requests. */
export const answerSubject = (worker: WorkerAddress) => below('answer', worker);

/** Worker → every dispatcher. */
export const helloSubject = (worker: WorkerAddress) => below('hello', worker);
/** Worker → the dispatcher that owns the execution. */
export const resultSubject = (worker: WorkerAddress, dispatcherId: string) => `${below('result', worker)}.${token(dispatcherId)}`;
export const callSubject = (worker: WorkerAddress, dispatcherId: string) => `${below('call', worker)}.${token(dispatcherId)}`;
export const bundleSubject = (worker: WorkerAddress, dispatcherId: string) => `${below('bundle', worker)}.${token(dispatcherId)}`;

/** What a dispatcher subscribes to. */
export const helloWildcard = `${PREFIX}.hello.*.*`;
export const toDispatcherWildcard = (verb: 'result' | 'call' | 'bundle', dispatcherId: string) => `${PREFIX}.${verb}.*.*.${token(dispatcherId)}`;
/** Dispatcher → dispatchers: registrations or metadata changed. */
export const changedSubject = `${PREFIX}.changed`;

/** The speaker of a subject that a worker published on; `undefined` when it is not one. */
export function speakerOf(subject: string): WorkerAddress | undefined {
  const [, , , pool, workerId] = subject.split('.');
  return pool !== undefined && workerId !== undefined && TOKEN.test(pool) && TOKEN.test(workerId) ? { pool, workerId } : undefined;
}
