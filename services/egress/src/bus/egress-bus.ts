import {
  EgressCancellation,
  type EgressHello,
  EgressOrder,
  type EgressResult,
  egressCancelSubject,
  egressedSubject,
  egressHelloSubject,
  egressSubject,
  PROTOCOL_VERSION,
} from '@airlock/protocol';
import type { Logger } from '@airlock/telemetry';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Performed } from '../request/perform.ts';

export interface EgressBusOptions {
  readonly connection: NatsConnection;
  readonly egressId: string;
  readonly allowPrivateAddresses: boolean;
  readonly allowPlainHttp: boolean;
  readonly concurrency: number;
  readonly perform: (order: EgressOrder, signal: AbortSignal) => Promise<Performed>;
  readonly log: Logger;
}

export interface EgressBus {
  readonly hello: () => void;
  /** Takes no more orders; resolves when those that run have ended. */
  readonly drain: () => Promise<void>;
}

/** One of the egress processes hears an order (they share a queue); answers go to the dispatcher's own subject, which is computed. */
export const EGRESS_QUEUE = 'egress';

export function openEgressBus(options: EgressBusOptions): EgressBus {
  const { connection, concurrency, log } = options;
  const running = new Map<string, { readonly abort: AbortController; readonly ended: Promise<void> }>();

  const answer = ({ dispatcherId, requestId }: EgressOrder, performed: Performed): void => {
    const result: EgressResult = { version: PROTOCOL_VERSION, kind: 'performed', requestId, hops: [...performed.hops], end: performed.end };
    connection.publish(egressedSubject(dispatcherId), JSON.stringify(result));
  };
  const run = async (order: EgressOrder, abort: AbortController): Promise<void> => {
    try {
      const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(order.timeoutMs)]);
      answer(order, await options.perform(order, signal));
    } catch (error) {
      log.error({ err: error, requestId: order.requestId }, 'a request ended with a defect of the egress process');
      answer(order, { hops: [], end: { ok: false, refusal: 'unreachable', message: 'the request could not be made' } });
    } finally {
      running.delete(order.requestId);
    }
  };
  let dropped = 0;
  /** Whoever may publish here is a dispatcher; what does not parse all the same is dropped, with a line in the log now and then. */
  const listen = (subject: string, queue: string | undefined, handle: (message: unknown) => void) =>
    connection.subscribe(subject, {
      ...(queue !== undefined && { queue }),
      callback: (error, message) => {
        if (error !== null) return;
        try {
          handle(JSON.parse(message.string()));
        } catch {
          dropped += 1;
          if (Number.isInteger(Math.log2(dropped))) log.warn({ subject, dropped }, 'unreadable messages were dropped');
        }
      },
    });

  const orders = listen(egressSubject, EGRESS_QUEUE, (message) => {
    const order = EgressOrder.parse(message);
    if (running.has(order.requestId)) return;
    if (running.size >= concurrency) {
      return answer(order, {
        hops: [],
        end: { ok: false, refusal: 'busy', message: 'the egress process has as many requests as it may; try again' },
      });
    }
    const abort = new AbortController();
    // Entered before it begins: it may end without ever waiting.
    const { promise, resolve } = Promise.withResolvers<void>();
    running.set(order.requestId, { abort, ended: promise });
    void run(order, abort).then(resolve);
  });
  listen(egressCancelSubject, undefined, (message) => running.get(EgressCancellation.parse(message).requestId)?.abort.abort());

  return {
    hello: () => {
      const { egressId, allowPrivateAddresses, allowPlainHttp } = options;
      const hello: EgressHello = {
        version: PROTOCOL_VERSION,
        kind: 'egress-hello',
        egressId,
        allowPrivateAddresses,
        allowPlainHttp,
        running: running.size,
      };
      if (!connection.isClosed()) connection.publish(egressHelloSubject, JSON.stringify(hello));
    },
    drain: async () => {
      orders.unsubscribe();
      // Bounded: every request has a deadline.
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}
