/** What one execution of a step may use. Each one that is passed ends the execution with a failure that names it. */
export interface StepLimits {
  /** Wall clock of the execution, its service calls included. */
  readonly wallMs: number;
  /** CPU time of the sandbox process during the execution. */
  readonly cpuMs: number;
  /** V8 heap of the isolate. */
  readonly heapBytes: number;
  /** Resident memory of the sandbox process. */
  readonly residentBytes: number;
  /** Trace text kept, in UTF-8 bytes; head and tail stay, the middle goes. */
  readonly traceBytes: number;
  /** Host calls (service calls, crypto, timers) of one execution. */
  readonly hostCalls: number;
  readonly hostCallsInFlight: number;
  /** JSON text of one host call's arguments or answer, in UTF-8 bytes. */
  readonly hostCallBytes: number;
}

const MiB = 1024 * 1024;

export const defaultSyncLimits: StepLimits = {
  wallMs: 10_000,
  cpuMs: 5_000,
  heapBytes: 64 * MiB,
  residentBytes: 320 * MiB,
  traceBytes: 64 * 1024,
  hostCalls: 500,
  hostCallsInFlight: 32,
  hostCallBytes: 256 * 1024,
};

/** Nobody waits in front of an asynchronous step, so it gets the platform's two minutes. */
export const defaultAsyncLimits: StepLimits = { ...defaultSyncLimits, wallMs: 120_000, cpuMs: 30_000, hostCalls: 2_000 };

/** What a registration may raise a limit to. */
export const maximumLimits: StepLimits = {
  wallMs: 120_000,
  cpuMs: 60_000,
  heapBytes: 256 * MiB,
  residentBytes: 768 * MiB,
  traceBytes: MiB,
  hostCalls: 10_000,
  hostCallsInFlight: 64,
  hostCallBytes: 512 * 1024,
};
