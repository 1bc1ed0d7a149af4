import { readFileSync } from 'node:fs';
import {
  answerSubject,
  assignSubject,
  bundleSubject,
  callSubject,
  cancelSubject,
  helloSubject,
  resultSubject,
  type WorkerAddress,
} from '@airlock/protocol';
import { connect, credsAuthenticator, type Msg, type NatsConnection } from '@nats-io/transport-node';

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
  readonly bundle: (dispatcherId: string, frame: string) => void;
  readonly flush: () => Promise<void>;
  /** No further assignments are heard. */
  readonly deafen: () => void;
}

export interface BusOptions {
  readonly url: string;
  readonly credentialsFile: string | undefined;
  readonly address: WorkerAddress;
}

const RECONNECT_MS = 500;
const PING_MS = 5_000;
const MAX_SUBJECTS = 1_024;

export async function openBus({ url, credentialsFile, address }: BusOptions, handlers: BusHandlers): Promise<Bus> {
  const authenticator = credentialsFile === undefined ? {} : { authenticator: credsAuthenticator(readFileSync(credentialsFile)) };
  const connection: NatsConnection = await connect({
    servers: url.split(','),
    name: `airlock-sandbox-worker ${address.workerId}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    waitOnFirstConnect: true,
    pingInterval: PING_MS,
    maxPingOut: 2,
    ...authenticator,
  });
  const listen = (subject: string, handle: (frame: string) => void) =>
    connection.subscribe(subject, {
      callback: (error: Error | null, message: Msg) => {
        if (error === null) handle(message.string());
      },
    });
  const assignments = listen(assignSubject(address), handlers.onAssign);
  listen(cancelSubject(address), handlers.onCancel);
  listen(answerSubject(address), handlers.onAnswer);
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
    bundle: (dispatcherId, frame) => publish(cached(bundleSubject, 'b', dispatcherId), frame),
    flush: () => connection.flush(),
    deafen: () => assignments.unsubscribe(),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

async function follow(connection: NatsConnection, { onReconnect, onStatus }: BusHandlers): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type === 'reconnect') onReconnect();
    if (type === 'disconnect' || type === 'reconnect') onStatus(type);
  }
}
