import type { Fault } from '@airlock/pipeline';
import type { Logger, TraceContext } from '@airlock/telemetry';
import type { WorkerBus } from '../bus/worker-bus.ts';
import type { ServeFetch } from '../egress/serve-fetch.ts';
import type { Metadata } from '../metadata/table.ts';
import type { Registrations } from '../registrations/load-registrations.ts';
import type { Admission, OperationConnections } from '../store/operation-connections.ts';
import type { OperationTransaction } from '../store/operation-transaction.ts';
import type { EndedExecution } from '../trace-log/trace-log-row.ts';
import type { TraceLogWriter } from '../trace-log/trace-log-writer.ts';
import type { MessageRequest, MessageResponse } from './message.ts';
import type { UserDirectory } from './user-directory.ts';

export interface Organization {
  readonly organizationId: string;
  readonly name: string;
  readonly businessUnitId: string;
}

export interface OperationLimits {
  /** The operation with all its synchronous steps: the platform's two minutes (dataverse-facts §8). */
  readonly operationMs: number;
  /** Longest wait for a worker to take a step. */
  readonly workerWaitMs: number;
  /** A context that is larger cannot travel (NATS' `max_payload` is 1 MB). */
  readonly contextBytes: number;
}

/** What executing messages needs; `main.ts` wires it. */
export interface OperationDependencies {
  readonly connections: OperationConnections;
  readonly bus: WorkerBus;
  /** Requests of plug-ins to other hosts. */
  readonly serveFetch: ServeFetch;
  readonly registrations: () => Registrations;
  readonly metadata: () => Metadata;
  readonly users: UserDirectory;
  readonly traceLog: TraceLogWriter;
  readonly organization: Organization;
  readonly pool: string;
  readonly limits: OperationLimits;
  /** System jobs of an operation that committed wait to be run. Never throws. */
  readonly jobsQueued: (kind: QueuedKind) => void;
  /** Users changed system jobs: those that run must stop, or others may start. Never throws. */
  readonly jobsChanged: (jobIds: readonly string[]) => void;
  readonly log: Logger;
}

/** `constrained`: some have an ordering key, or their step a limit, and are claimed in another way. */
export type QueuedKind = 'free' | 'constrained';

/** The right of a running attempt to write: its service calls are refused once another one has it. */
export interface Fence {
  readonly jobId: string;
  readonly leaseId: string;
}

/**
 * One operation of a caller, with everything nested in it. It keeps the registrations and the metadata that it began with,
 * so that a push in its middle changes nothing for it.
 */
export interface Operation {
  readonly deps: OperationDependencies;
  admission: Admission;
  readonly registrations: Registrations;
  readonly metadata: Metadata;
  readonly trace: TraceContext;
  /** Runs a service call's message in this operation. Here, because the pipeline runs steps, and steps run the pipeline. */
  readonly runNested: (op: Operation, request: MessageRequest) => Promise<MessageResponse>;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  /** Executions that ended, for the trace log: written when the transaction is over, whatever became of it. */
  readonly ended: EndedExecution[];
  /** The open transaction; nested messages run in savepoints of it. */
  transaction: OperationTransaction | undefined;
  /**
   * A failure that no plug-in may swallow: a loop, a lost connection, a collision, a worker that is gone. A plug-in that
   * catches it goes on, and the operation fails with it all the same.
   */
  doomed: Fault | undefined;
  /** What follows from the commit of the open transaction; a savepoint that is rolled back takes its own away. */
  afterCommit: (() => void)[];
  /** Of a service call that a system job makes. */
  readonly fence?: Fence;
}

/** Short form of a trace id for people. */
export function referenceOf({ traceId }: TraceContext): string {
  return traceId.slice(0, 8);
}
