import {
  EGRESS_LOST_MS,
  type EgressCancellation,
  EgressHello,
  type EgressOrder,
  EgressResult,
  egressCancelSubject,
  egressedSubject,
  egressHelloSubject,
  egressSubject,
  PROTOCOL_VERSION,
  unheardSubject,
  unheardWildcard,
} from '@airlock/protocol';
import type { Logger } from '@airlock/telemetry';
import type { Msg, NatsConnection } from '@nats-io/transport-node';

type Ended = Pick<EgressResult, 'hops' | 'end'>;
export type EgressRequest = Omit<EgressOrder, 'version' | 'kind' | 'dispatcherId'>;

export interface EgressHealth {
  readonly processes: number;
  /** Both are permissions for development; `true` when one process has them. */
  readonly allowPrivateAddresses: boolean;
  readonly allowPlainHttp: boolean;
}

export interface EgressClient {
  /** Never throws; every end is a value. */
  readonly perform: (request: EgressRequest, signal: AbortSignal) => Promise<Ended>;
  readonly health: () => EgressHealth;
}

/** Beyond the time that a request may take, for the way there and back. */
const GRACE_MS = 2_000;
const MAX_PENDING = 1_024;
const MAX_KNOWN = 256;

const ended = (refusal: Extract<EgressResult['end'], { ok: false }>['refusal'], message: string): Ended => ({
  hops: [],
  end: { ok: false, refusal, message },
});

/** Speaks to the egress processes over the bus. */
export function openEgressClient(connection: NatsConnection, dispatcherId: string, log: Logger): EgressClient {
  const pending = new Map<string, (end: Ended) => void>();
  const known = new Map<string, { readonly hello: EgressHello; readonly heardMs: number }>();

  let dropped = 0;
  /** Now and then a line, never what was sent: whoever sends rubbish must not write the log. */
  const drop = (subject: string): void => {
    dropped += 1;
    if (Number.isInteger(Math.log2(dropped))) log.warn({ subject, dropped }, 'unreadable messages of an egress process were dropped');
  };
  const listen = (subject: string, handle: (message: Msg) => void) =>
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return;
        try {
          handle(message);
        } catch {
          drop(subject);
        }
      },
    });
  listen(egressedSubject(dispatcherId), (message) => {
    const { requestId, hops, end } = EgressResult.parse(JSON.parse(message.string()));
    pending.get(requestId)?.({ hops, end });
  });
  listen(egressHelloSubject, (message) => {
    const hello = EgressHello.parse(JSON.parse(message.string()));
    if (known.size >= MAX_KNOWN && !known.has(hello.egressId)) known.clear();
    known.set(hello.egressId, { hello, heardMs: performance.now() });
  });
  // The server itself answers here when no egress process listens.
  listen(unheardWildcard(dispatcherId), (message) => {
    if (message.headers?.code !== 503) return;
    const requestId = message.subject.slice(message.subject.lastIndexOf('.') + 1);
    pending.get(requestId)?.(ended('unreachable', 'no egress process is running; an operator starts one'));
  });

  return {
    perform: async (request, signal) => {
      if (signal.aborted) return ended('cancelled', 'the execution has ended');
      if (pending.size >= MAX_PENDING) return ended('busy', 'too many requests are under way; try again');
      const { requestId } = request;
      const { promise, resolve } = Promise.withResolvers<Ended>();
      pending.set(requestId, resolve);
      const timer = setTimeout(() => resolve(ended('timed-out', 'the egress process did not answer in time')), request.timeoutMs + GRACE_MS);
      const abandon = (): void => {
        const cancellation: EgressCancellation = { version: PROTOCOL_VERSION, kind: 'cancel', requestId };
        connection.publish(egressCancelSubject, JSON.stringify(cancellation));
      };
      signal.addEventListener('abort', abandon);
      try {
        const order: EgressOrder = { version: PROTOCOL_VERSION, kind: 'perform', dispatcherId, ...request };
        connection.publish(egressSubject, JSON.stringify(order), { reply: unheardSubject(dispatcherId, requestId) });
        // An execution that has ended is still waited for: what was sent until then belongs into the ledger.
        return await promise;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', abandon);
        pending.delete(requestId);
      }
    },
    health: () => {
      const now = performance.now();
      for (const [id, { heardMs }] of known) if (now - heardMs > EGRESS_LOST_MS) known.delete(id);
      const hellos = [...known.values()].map(({ hello }) => hello);
      return {
        processes: hellos.length,
        allowPrivateAddresses: hellos.some(({ allowPrivateAddresses }) => allowPrivateAddresses),
        allowPlainHttp: hellos.some(({ allowPlainHttp }) => allowPlainHttp),
      };
    },
  };
}
