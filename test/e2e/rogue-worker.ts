import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  type Assignment,
  answerSubject,
  assignSubject,
  callSubject,
  cancelSubject,
  DEPTH_LEVELS,
  encodeFrame,
  HELLO_INTERVAL_MS,
  helloSubject,
  resultSubject,
  splitFrame,
  type WorkerAddress,
  WorkerRequest,
} from '@airlock/protocol';
import { connect, type Msg, type NatsConnection, nkeyAuthenticator, PermissionViolationError } from '@nats-io/transport-node';

/** A run as the thief got it: everything in it is true. */
interface Loot {
  readonly assignment: Assignment;
  readonly state: { readonly inputParameters: { readonly Target: { readonly attributes: Record<string, unknown> } } };
  /** The reply subject of the message, which only the server answers to. */
  readonly reply: string | undefined;
}

interface OutcomeChanges {
  readonly executionId?: string;
  readonly token?: string;
  readonly runId?: string;
  readonly description?: string;
}

const quiet = {
  deadlineFired: false,
  cpuLimitFired: false,
  residentLimitFired: false,
  heapExhausted: false,
  hostCallLimitFired: false,
  childDied: false,
  shuttingDown: false,
};
const receipt = { wallMs: 1, cpuMs: 1, heapBytes: 1, residentBytes: 1, hostCalls: 0, hostCallBytes: 0, start: 'cold' };

/** The frame by which a worker says that a run succeeded, with the description that it wants in the row. */
function resultFrame({ assignment, state }: Loot, changes: OutcomeChanges = {}): string {
  const { description, runId = assignment.runId, ...claim } = changes;
  const outcomes = assignment.steps.map(({ executionId, token }) => ({
    executionId,
    token,
    observation: quiet,
    receipt,
    trace: '',
    traceTruncated: false,
    ...claim,
  }));
  const target = state.inputParameters.Target;
  const attributes = { ...target.attributes, ...(description !== undefined && { description }) };
  const after = { ...state, inputParameters: { ...state.inputParameters, Target: { ...target, attributes } } };
  return encodeFrame([JSON.stringify({ version: 1, kind: 'ran', runId, outcomes }), JSON.stringify(after)]);
}

export type Rogue = Awaited<ReturnType<typeof openRogue>>;

const keyOf = (file: string) => nkeyAuthenticator(new TextEncoder().encode(readFileSync(file, 'utf8').trim()));

/** A connection with a worker's real key and none of a worker's manners. */
export async function openRogue(natsUrl: string, keyFile: string, address: WorkerAddress) {
  const connection: NatsConnection = await connect({ servers: natsUrl, authenticator: keyOf(keyFile), reconnect: false });
  const denials: string[] = [];
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type !== 'error') continue;
      if (status.error instanceof PermissionViolationError) denials.push(`${status.error.operation} ${status.error.subject}`);
      else denials.push(status.error.message);
    }
  })();
  const loot: Loot[] = [];
  const waiting: ((loot: Loot) => void)[] = [];
  const answers: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let incarnation = randomBytes(6).toString('hex');

  const onAssign = (message: Msg): void => {
    const [head = '', , state = '{}'] = splitFrame(message.string());
    const assignment = WorkerRequest.parse(JSON.parse(head));
    if (assignment.kind !== 'run') return;
    const taken = { assignment, state: JSON.parse(state) as Loot['state'], reply: message.reply };
    const next = waiting.shift();
    if (next === undefined) loot.push(taken);
    else next(taken);
  };
  connection.subscribe(assignSubject(address), { callback: (error, message) => (error === null ? onAssign(message) : undefined) });
  connection.subscribe(cancelSubject(address), { callback: () => undefined });
  connection.subscribe(answerSubject(address), { callback: (error, message) => void (error === null && answers.push(message.string())) });
  await connection.flush();

  const hello = (changes: object = {}): string =>
    JSON.stringify({
      version: 1,
      kind: 'hello',
      incarnation,
      capacity: 64,
      free: new Array<number>(DEPTH_LEVELS).fill(64),
      draining: false,
      warm: [],
      children: 0,
      layers: [],
      jitless: false,
      isolationMode: 2,
      nodeVersion: process.version,
      machine: 'elsewhere',
      kills: {},
      ...changes,
    });
  const send = async (subject: string, payload: string | Uint8Array, options: { readonly reply?: string } = {}): Promise<void> => {
    connection.publish(subject, payload, options);
    await connection.flush();
  };
  return {
    address,
    connection,
    denials,
    answers,
    hello,
    send,
    incarnation: () => incarnation,
    /** Says that it has much room and the bundle at hand, so that every run comes here. */
    attract: async (digest: string) => {
      const greet = () => connection.publish(helloSubject(address), hello({ warm: [digest.slice(0, 12)] }));
      clearInterval(timer);
      timer = setInterval(greet, HELLO_INTERVAL_MS);
      greet();
      await connection.flush();
    },
    /** From now on it is, by its own word, another process: the dispatcher gives up what the old one ran. */
    pretendRestart: () => {
      clearInterval(timer);
      incarnation = randomBytes(6).toString('hex');
      return send(helloSubject(address), hello({ draining: true }));
    },
    next: (): Promise<Loot> => {
      const first = loot.shift();
      return first === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(first);
    },
    result: (to: Loot, changes?: OutcomeChanges) => send(resultSubject(address, to.assignment.dispatcherId), resultFrame(to, changes)),
    call: (to: Loot, call: object, request: unknown) => {
      const [step] = to.assignment.steps;
      const envelope = { version: 1, kind: 'call', executionId: step?.executionId, token: step?.token, callId: 0, ...call };
      return send(callSubject(address, to.assignment.dispatcherId), encodeFrame([JSON.stringify(envelope), JSON.stringify(request)]));
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      // A dying connection still swallows what is sent to it; said first, the next test's run does not come here.
      if (!connection.isClosed()) await send(helloSubject(address), hello({ draining: true })).catch(() => undefined);
      await connection.close();
    },
  };
}
