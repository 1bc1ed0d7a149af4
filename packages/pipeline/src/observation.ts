import type { GuestError, Rejection } from './failure.ts';

/** How a guest ended by its own account. `unreadable`: what it threw could not be described within its limits. */
export type Thrown = 'unreadable' | { readonly error: GuestError; readonly rejection?: Rejection | undefined };

/** What the worker measured of one execution; `classify` turns it into a `Failure` or into success. The wire form parses into it as it is. */
export interface RunObservation {
  /** The wall clock of the supervisor ran out. */
  readonly deadlineFired: boolean;
  readonly cpuLimitFired: boolean;
  readonly residentLimitFired: boolean;
  /** The engine reported the isolate's heap exhausted (not the guest: it can forge the text). */
  readonly heapExhausted: boolean;
  readonly hostCallLimitFired: boolean;
  /** The sandbox process ended without having been told to. */
  readonly childDied: boolean;
  readonly protocolViolation?: string | undefined;
  readonly bundleUnavailable?: string | undefined;
  readonly shuttingDown: boolean;
  readonly throttled?: string | undefined;
  readonly thrown?: Thrown | undefined;
}

/** What the execution used. */
export interface Receipt {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** 0 when the engine could not say. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly hostCalls: number;
  readonly hostCallBytes: number;
  readonly start: 'prepared' | 'reused' | 'cold';
}
