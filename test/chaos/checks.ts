import { attemptChecks } from './check-attempts.ts';
import { jobChecks } from './check-jobs.ts';
import { operationChecks } from './check-operations.ts';
import type { Evidence } from './evidence.ts';
import type { Operation } from './load.ts';
import type { Surprises } from './service.ts';

/** What is known when the run is over. */
export interface Account {
  readonly operations: readonly Operation[];
  readonly evidence: Evidence;
  readonly surprises: Surprises;
  readonly rest: Rest;
}

/** How the system came to rest after the last fault was over. */
export interface Rest {
  /** `undefined`: it did not within its time. */
  readonly quietAfterMs: number | undefined;
  /** The longest time for which a lease that was over still held a job, once everything was whole for a while. */
  readonly overdueMs: number;
}

/** A rule that the run may not have broken; answers the places where it did. */
export interface Check {
  readonly rule: string;
  broken(account: Account): Iterable<string>;
}

export const OVERDUE_LIMIT_MS = 3_000;

const restChecks: readonly Check[] = [
  {
    rule: 'everything comes to rest after the last fault',
    broken: ({ rest }) => (rest.quietAfterMs === undefined ? ['jobs still were ready or in progress'] : []),
  },
  {
    rule: 'no job is stuck longer than its lease',
    broken: ({ rest }) => (rest.overdueMs > OVERDUE_LIMIT_MS ? [`a lease had been over for ${Math.round(rest.overdueMs)} ms`] : []),
  },
  { rule: 'no service ends by itself', broken: ({ surprises }) => surprises.ended },
  { rule: 'an orderly end takes less than its time', broken: ({ surprises }) => surprises.killed },
];

export const checks: readonly Check[] = [...operationChecks, ...jobChecks, ...attemptChecks, ...restChecks];
