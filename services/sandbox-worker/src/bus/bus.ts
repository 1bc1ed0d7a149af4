import {
  answerSubject,
  assignSubject,
  bundleSubject,
  callSubject,
  cancelSubject,
  fetchSubject,
  helloSubject,
  resultSubject,
  type WorkerAddress,
} from '@airlock/protocol';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { type BusFiles, openConnection } from './open-connection.ts';

export interface BusHandlers {
  readonly onAssign: (frame: string) => void;
  readonly onCancel: (frame: string) => void;
  readonly onAnswer: (frame: string) => void;
  /** Connected anew: whatever was said meanwhile is lost. */
  readonly onReconnect: () => void;
  readonly onStatus: (status: string) => void;
}

export interface Bus extends AsyncDisposable {
  readonly hello: (frame: string) => void;
  readonly result: (dispatcherId: string, frame: string) => void;
  readonly call: (dispatcherId: string, frame: string) => void;
  readonly fetch: (dispatcherId: string, frame: string) => void;
  readonly bundle: (dispatcherId: string, frame: string) => void;
  readonly flush: () => Promise<void>;
  /** No further assignments are heard. */
  readonly deafen: () => void;
}

export interface BusOptions {
  readonly url: string;
  readonly files: BusFiles;
  readonly address: WorkerAddress;
}

const MAX_SUBJECTS = 1_024;

/** Throws when the server does not let this worker speak as `address`: deaf, it would only ever lose what it is given. */
export async function openBus({ url, files, address }: BusOptions, handlers: BusHandlers): Promise<Bus> {
  const connection: NatsConnection = await openConnection({ url, files, name: `airlock-sandbox-worker ${address.workerId}` });
  let refused: Error | undefined;
  const listen = (subject: string, handle: (frame: string) => void) =>
    connection.subscribe(subject, {
      callback: (error: Error | null, message: Msg) => {
        if (error === null) handle(message.string());
        else refused = error;
      },
    });
  const assignments = listen(assignSubject(address), handlers.onAssign);
  listen(cancelSubject(address), handlers.onCancel);
  listen(answerSubject(address), handlers.onAnswer);
  await connection.flush();
  if (refused !== undefined) {
    await connection.close();
    throw new Error(`the bus refuses the worker ${address.workerId} of the pool ${address.pool}: its key speaks for another name or pool`, {
      cause: refused,
    });
  }
  void follow(connection, handlers);

  const publish = (subject: string, frame: string): void => {
    if (!connection.isClosed()) connection.publish(subject, frame);
  };
  const subjects = new Map<string, string>();
  /** Subjects are put together once for each dispatcher, not for each message. */
  const cached = (make: (worker: WorkerAddress, dispatcherId: string) => string, verb: string, dispatcherId: string): string => {
    const key = verb + dispatcherId;
    const known = subjects.get(key);
    if (known !== undefined) return known;
    if (subjects.size >= MAX_SUBJECTS) subjects.clear();
    const subject = make(address, dispatcherId);
    subjects.set(key, subject);
    return subject;
  };
  const own = helloSubject(address);
  return {
    hello: (frame) => publish(own, frame),
    result: (dispatcherId, frame) => publish(cached(resultSubject, 'r', dispatcherId), frame),
    call: (dispatcherId, frame) => publish(cached(callSubject, 'c', dispatcherId), frame),
    fetch: (dispatcherId, frame) => publish(cached(fetchSubject, 'f', dispatcherId), frame),
    bundle: (dispatcherId, frame) => publish(cached(bundleSubject, 'b', dispatcherId), frame),
    flush: () => connection.flush(),
    deafen: () => assignments.unsubscribe(),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

async function follow(connection: NatsConnection, { onReconnect, onStatus }: BusHandlers): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type === 'reconnect') onReconnect();
    if (type === 'disconnect' || type === 'reconnect' || type === 'error') onStatus(type);
  }
}
