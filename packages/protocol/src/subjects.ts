/**
 * NATS subjects. Who speaks is part of the subject, so that the server fixes it: the pool by what its account exports
 * and imports, the worker by the permissions of its key. A worker may publish only below its own name and hears only its
 * own three subjects. No message is answered on a subject that its sender chose.
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
/** A plug-in's `fetch`: the dispatcher decides whether the step may. */
export const fetchSubject = (worker: WorkerAddress, dispatcherId: string) => `${below('fetch', worker)}.${token(dispatcherId)}`;

/** Dispatcher → one of the egress processes (queue group `egress`), → all of them, and what they say. No worker hears or says any of it. */
export const egressSubject = `${PREFIX}.egress.perform`;
export const egressCancelSubject = `${PREFIX}.egress.cancel`;
export const egressHelloSubject = `${PREFIX}.egress.hello`;
export const egressedSubject = (dispatcherId: string) => `${PREFIX}.egressed.${token(dispatcherId)}`;

/** What a dispatcher subscribes to. */
export const helloWildcard = `${PREFIX}.hello.*.*`;
export const toDispatcherWildcard = (verb: 'result' | 'call' | 'bundle' | 'fetch', dispatcherId: string) =>
  `${PREFIX}.${verb}.*.*.${token(dispatcherId)}`;
/** Dispatcher → dispatchers: registrations or metadata changed. */
export const changedSubject = `${PREFIX}.changed`;
/** Dispatcher → dispatchers: a system job waits. */
export const jobsSubject = `${PREFIX}.jobs`;
/** Server → dispatcher: nobody listens on the subject of an assignment. Never a subject that a worker may use. */
export const unheardSubject = (dispatcherId: string, runId: string) => `${PREFIX}.unheard.${token(dispatcherId)}.${token(runId)}`;
export const unheardWildcard = (dispatcherId: string) => `${PREFIX}.unheard.${token(dispatcherId)}.*`;

const TO_WORKER = ['assign', 'cancel', 'answer'] as const;
const TO_DISPATCHER = ['result', 'call', 'bundle', 'fetch'] as const;

export interface AllowedSubjects {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** What the key of one worker may do. Without a `workerId`: any worker of the pool, for pools whose workers have no names in advance. */
export function workerSubjects(pool: string, workerId?: string): AllowedSubjects {
  const whose = `${token(pool)}.${workerId === undefined ? '*' : token(workerId)}`;
  return {
    publish: [`${PREFIX}.hello.${whose}`, ...TO_DISPATCHER.map((verb) => `${PREFIX}.${verb}.${whose}.*`)],
    subscribe: TO_WORKER.map((verb) => `${PREFIX}.${verb}.${whose}`),
  };
}

/** What a dispatcher may do in its account; `…core.>` is between dispatchers and crosses into no pool. */
export function dispatcherSubjects(): AllowedSubjects {
  const own = [changedSubject, jobsSubject, `${PREFIX}.core.>`];
  return {
    publish: [...TO_WORKER.map((verb) => `${PREFIX}.${verb}.*.*`), egressSubject, egressCancelSubject, ...own],
    subscribe: [
      helloWildcard,
      ...TO_DISPATCHER.map((verb) => `${PREFIX}.${verb}.*.*.*`),
      `${PREFIX}.unheard.*.*`,
      egressHelloSubject,
      `${PREFIX}.egressed.*`,
      ...own,
    ],
  };
}

/** What an egress process may do, in the dispatchers' account: it hears orders and says what came of them. */
export function egressSubjects(): AllowedSubjects {
  return { publish: [egressHelloSubject, `${PREFIX}.egressed.*`], subscribe: [egressSubject, egressCancelSubject] };
}

/** What crosses between the account of the dispatchers and that of a pool, from the pool's side. */
export function poolCrossings(pool: string): { readonly toDispatchers: readonly string[]; readonly toWorkers: readonly string[] } {
  const { publish, subscribe } = workerSubjects(pool);
  return { toDispatchers: publish, toWorkers: subscribe };
}

/** The speaker of a subject that a worker published on; `undefined` when it is not one. */
export function speakerOf(subject: string): WorkerAddress | undefined {
  const [, , , pool, workerId] = subject.split('.');
  return pool !== undefined && workerId !== undefined && TOKEN.test(pool) && TOKEN.test(workerId) ? { pool, workerId } : undefined;
}
