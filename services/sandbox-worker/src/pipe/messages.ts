import type { FoundInside } from '../layers/check-layers.ts';

/**
 * Envelopes on the pipe. Types only: the sandbox process needs no schema (it trusts its supervisor), and the supervisor
 * parses what a child says with `supervisor/child-message.ts`. The comment after each kind names its further lines.
 */
export interface RunOrder {
  readonly kind: 'run'; // stage context, stage state, own context
  /** Counts the executions of this child; every message about one carries it. */
  readonly run: number;
  readonly digest: string;
  readonly typeName: string;
  readonly startMs: number;
  readonly seed: string;
  readonly heapBytes: number;
  readonly wallMs: number;
  readonly traceBytes: number;
  readonly hostCalls: number;
  readonly hostCallsInFlight: number;
  readonly hostCallBytes: number;
  /** A stateless bundle in a pool that allows it: keep the isolate and take a kept one. */
  readonly reuse: boolean;
}

export interface InspectOrder {
  readonly kind: 'inspect';
  readonly run: number;
  readonly digest: string;
  readonly heapBytes: number;
  readonly wallMs: number;
}

export type ToChild =
  | { readonly kind: 'bundle'; readonly digest: string; readonly name: string; readonly uploadedAtMs: number } // code as a JSON string
  | { readonly kind: 'prepare'; readonly digest: string; readonly heapBytes: number; readonly count: number }
  | RunOrder
  | InspectOrder
  | { readonly kind: 'answer'; readonly run: number; readonly callId: number; readonly ok: boolean } // JSON text
  | { readonly kind: 'map'; readonly run: number }; // stack and source map, as JSON strings

/** How an execution ended, as the child saw it. The supervisor's own clocks come before it. */
export type EndKind = 'done' | 'thrown' | 'heap' | 'deadline' | 'host-calls' | 'protocol';

export interface ChildUse {
  readonly start: 'prepared' | 'reused' | 'cold';
  readonly heapBytes: number;
  readonly cpuMs: number;
  readonly residentBytes: number;
  readonly hostCalls: number;
}

export type FromChild =
  | { readonly kind: 'ready'; readonly found: FoundInside }
  | { readonly kind: 'prepared'; readonly digest: string; readonly count: number }
  | { readonly kind: 'trace'; readonly run: number; readonly text: string }
  | { readonly kind: 'call' | 'fetch'; readonly run: number; readonly callId: number } // JSON text of the request
  | { readonly kind: 'end'; readonly run: number; readonly end: EndKind; readonly detail: string; readonly use: ChildUse } // state or `ThrownWire`, as JSON text
  | { readonly kind: 'inspected'; readonly run: number; readonly end: EndKind; readonly detail: string } // `LoadAnswer` or `TypesAnswer`, as JSON text
  | { readonly kind: 'mapped'; readonly run: number } // stack as a JSON string
  | { readonly kind: 'fatal'; readonly reason: 'heap' | 'stuck' };
