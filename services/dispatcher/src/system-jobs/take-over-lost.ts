import { type Failure, faultOf, type RetryPolicy } from '@airlock/pipeline';
import { errorCodes, errorText } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { PlatformDatabase } from '../store/platform-database.ts';
import { traceIdOf } from './attempt-end.ts';
import { endRow } from './decide-end.ts';
import { StoredState, stateOfRow } from './stored-state.ts';
import { writeEnds } from './write-ends.ts';

const LostRow = StoredState.extend({
  asyncoperationid: z.string(),
  leaseid: z.string(),
  name: z.string(),
  owningextensionid: z.string(),
  dispatcherid: z.string().nullable(),
  startedon: z.string().nullable(),
});

const BATCH = 100;

/**
 * Jobs whose lease is over: their dispatcher died, or cannot reach the database. The attempt counts, because the plug-in may
 * be what killed its worker. The lock is the strong one: it waits (here: skips until the next look) while a service call of
 * the attempt is in its transaction, and refuses all later ones. Any dispatcher does this. Returns how many it took.
 */
export async function takeOverLost(
  db: PlatformDatabase,
  options: { readonly policy: RetryPolicy; readonly nowMs: number; readonly random: () => number },
): Promise<number> {
  return await db.inTransaction(async (tx) => {
    const rows = await tx.query(sql`
      select asyncoperationid, leaseid, name, owningextensionid, dispatcherid, startedon, statecode, statuscode, attempt, postponeuntil, waitingfor
      from airlock.asyncoperation where statecode = 2 and leaseuntil < clock_timestamp() limit ${BATCH} for update skip locked`);
    const ends = rows.flatMap((raw) => {
      const row = LostRow.parse(raw);
      const state = stateOfRow(row);
      if (state.status !== 'InProgress' && state.status !== 'Pausing' && state.status !== 'Canceling') return [];
      const startedAtMs = row.startedon === null ? options.nowMs : Date.parse(row.startedon);
      return [
        endRow(lostEnd(row, startedAtMs, options.nowMs), state, row.statuscode, {
          policy: options.policy,
          now: options.nowMs,
          jitter: options.random(),
        }),
      ];
    });
    if (ends.length > 0) await writeEnds(tx, ends);
    return ends.length;
  });
}

function lostEnd(row: z.output<typeof LostRow>, startedAtMs: number, endedAtMs: number) {
  const failure: Failure = { origin: 'platform', kind: 'worker-lost', workerId: row.dispatcherid ?? '' };
  const traceId = traceIdOf(row.leaseid);
  const reference = traceId.slice(0, 8);
  const { name, facts } = faultOf(failure, { stepName: row.name, reference, mayReadTraceLog: false });
  const { code, http } = errorCodes[name];
  const message = errorText(name, facts);
  const job = { ...row, dependencytoken: null, asyncautodelete: false, data: '' };
  return {
    job,
    startedAtMs,
    endedAtMs,
    workerId: undefined,
    receipt: undefined,
    failure,
    fault: { code, httpStatus: http, message, retriable: true, traceId, reference },
    message: `The lease of the attempt ran out: the dispatcher "${row.dispatcherid ?? 'unknown'}" that ran it did not renew it.`,
  };
}
