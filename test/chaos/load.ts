import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { httpClient } from '../support/http.ts';
import type { ChaosSystem } from './chaos-system.ts';
import type { Random } from './random.ts';

export type Verdict = 'pass' | 'reject' | 'throw';

/** What one client asked for, and what it was told. */
export interface Operation {
  readonly kind: 'create' | 'update';
  /** Names the operation in every row that it leaves. */
  readonly token: string;
  readonly recordId: string;
  readonly verdict: Verdict;
  /** `unknown`: the connection was lost, or the answer says itself that it does not know. */
  readonly outcome: 'acknowledged' | 'refused' | 'unknown';
  readonly detail: string;
}

export interface Load {
  readonly operations: Operation[];
  stop(): Promise<void>;
}

const CLIENTS = 6;
const ErrorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
/** OUTCOME_UNKNOWN: the one refusal that does not promise that nothing was changed. */
const OUTCOME_UNKNOWN = '0x8008f00a';

function verdictOf(random: Random): Verdict {
  if (random.chance(0.75)) return 'pass';
  return random.chance(0.6) ? 'reject' : 'throw';
}

async function send(system: ChaosSystem, random: Random, known: string[]): Promise<Operation> {
  const kind = known.length > 0 && random.chance(0.35) ? 'update' : 'create';
  const [token, verdict, dispatcher] = [crypto.randomUUID(), verdictOf(random), random.pick(system.dispatchers)];
  const recordId = kind === 'update' ? random.pick(known) : crypto.randomUUID();
  const http = httpClient(dispatcher.url, system.token);
  const tries = random.chance(0.05) ? 4 : random.whole(0, 2);
  const body = { token, verdict, tries, slow: random.chance(0.1) ? random.whole(2_000, 5_000) : random.whole(50, 800) };
  const asked = { kind, token, recordId, verdict } as const;
  try {
    const answer =
      kind === 'create'
        ? await http.request('POST', 'chaosrecords', { body: { ...body, chaosrecordid: recordId, name: token }, timeoutMs: 40_000 })
        : await http.request('PATCH', `chaosrecords(${recordId})`, { body, headers: { 'if-match': '*' }, timeoutMs: 40_000 });
    if (answer.status < 300) return { ...asked, outcome: 'acknowledged', detail: String(answer.status) };
    const { error } = ErrorBody.parse(answer.body);
    const outcome = error.code === OUTCOME_UNKNOWN ? 'unknown' : 'refused';
    return { ...asked, outcome, detail: `${answer.status} ${error.code} ${error.message}` };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
    // Nobody listened: nothing was sent.
    const outcome = cause.includes('ECONNREFUSED') ? 'refused' : 'unknown';
    return { ...asked, outcome, detail: `${String(error)}: ${cause}` };
  }
}

/** Clients that create and update until they are told to stop, and remember every answer. */
export function startLoad(system: ChaosSystem, random: Random): Load {
  const operations: Operation[] = [];
  const ending = new AbortController();
  const client = async (own: Random) => {
    const known: string[] = [];
    while (!ending.signal.aborted) {
      const operation = await send(system, own, known);
      operations.push(operation);
      if (operation.kind === 'create' && operation.outcome === 'acknowledged') known.push(operation.recordId);
      if (known.length > 20) known.shift();
      // Whoever finds nobody listening does not ask a thousand times a second.
      await delay(operation.outcome === 'acknowledged' ? own.whole(300, 1_500) : own.whole(200, 800));
    }
  };
  const clients = Array.from({ length: CLIENTS }, () => client(random.fork()));
  return {
    operations,
    stop: async () => {
      ending.abort();
      await Promise.all(clients);
    },
  };
}
