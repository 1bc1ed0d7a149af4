import type { BenchCase } from './case.ts';
import { firstExecution } from './first-execution.ts';
import { growth } from './growth.ts';
import { backlogJobs } from './jobs-backlog.ts';
import { drainJobs } from './jobs-drain.ts';
import { enqueueJobs } from './jobs-enqueue.ts';
import { startJob } from './jobs-start.ts';
import { sustainedLoad } from './sustained-load.ts';
import { syncStep } from './sync-step.ts';

/** In the order in which they run and are printed. */
export const cases: readonly BenchCase[] = [syncStep, firstExecution, growth, sustainedLoad, drainJobs, enqueueJobs, startJob, backlogJobs];
