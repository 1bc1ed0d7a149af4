import { jobsSubject as subject } from '@airlock/protocol';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';

/** What dispatchers tell each other about system jobs. Only hints: what is missed is found by the poll and the heartbeat. */
const MAX_IDS = 1_000;
const WAKE_EVERY_MS = 20;

const Ring = z.discriminatedUnion('kind', [
  z.object({ version: z.literal(1), kind: z.literal('wake'), from: z.string().max(64), pool: z.string().max(64) }),
  z.object({ version: z.literal(1), kind: z.literal('changed'), from: z.string().max(64), ids: z.array(z.string().max(64)).max(MAX_IDS) }),
]);

export interface JobBell extends Disposable {
  /** Jobs wait that may be run elsewhere. At most one message every few milliseconds, however many are queued. */
  wake(): void;
  changed(jobIds: readonly string[]): void;
}

export function openJobBell(
  nats: NatsConnection,
  { dispatcherId, pool }: { readonly dispatcherId: string; readonly pool: string },
  listener: { readonly onWake: () => void; readonly onChanged: (jobIds: readonly string[]) => void },
): JobBell {
  const subscription = nats.subscribe(subject, {
    callback: (error, message) => {
      if (error !== null) return;
      const ring = parseRing(message.string());
      if (ring === undefined || ring.from === dispatcherId) return;
      if (ring.kind === 'changed') listener.onChanged(ring.ids);
      else if (ring.pool === pool) listener.onWake();
    },
  });
  let timer: NodeJS.Timeout | undefined;
  const ring = (message: z.input<typeof Ring>) => {
    // A bus that is away loses a hint.
    if (!nats.isClosed()) nats.publish(subject, JSON.stringify(message));
  };
  return {
    wake: () => {
      if (timer !== undefined) return;
      ring({ version: 1, kind: 'wake', from: dispatcherId, pool });
      timer = setTimeout(() => {
        timer = undefined;
      }, WAKE_EVERY_MS);
    },
    changed: (ids) => {
      for (let from = 0; from < ids.length; from += MAX_IDS) {
        ring({ version: 1, kind: 'changed', from: dispatcherId, ids: ids.slice(from, from + MAX_IDS) });
      }
    },
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      subscription.unsubscribe();
    },
  };
}

function parseRing(text: string): z.output<typeof Ring> | undefined {
  try {
    return Ring.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
