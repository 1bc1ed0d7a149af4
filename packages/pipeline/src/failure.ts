/** `OperationStatus` of the SDK; what a plug-in asks for when it rejects. */
export const OperationStatus = { Failed: 0, Canceled: 1, Retry: 2, Suspended: 3, Succeeded: 4 } as const;
export type OperationStatus = (typeof OperationStatus)[keyof typeof OperationStatus];

/** −2146233088 (0x80131500): what `ErrorCode` reads when the plug-in gave none (or 0). Source: dataverse-facts §3.1. */
export const DEFAULT_PLUGIN_ERROR_CODE = -2146233088;

/** What was thrown, as the guest described it: text of an author, never to be trusted, already cleaned and cut. */
export interface GuestError {
  readonly name: string;
  readonly message: string;
  /** Mapped to the author's source where a source map exists. */
  readonly stack: string;
  readonly cause?: GuestError | undefined;
}

/** The data of a genuine `InvalidPluginExecutionException`. */
export interface Rejection {
  readonly status: OperationStatus;
  readonly errorCode: number;
  /** 0 is NotSet: the platform answers 400. */
  readonly httpStatus: number;
  /** Empty: the caller sees the generic text. */
  readonly message: string;
  readonly details: Readonly<Record<string, string>>;
  /** Asked-for delay before the next attempt of an asynchronous step. */
  readonly retryAfterMs?: number | undefined;
}

/** What went wrong, decided once by `classify`. `origin` is the host's verdict, never the guest's word. */
export type Failure =
  | { readonly origin: 'plug-in'; readonly kind: 'rejected'; readonly rejection: Rejection; readonly error: GuestError }
  | { readonly origin: 'plug-in'; readonly kind: 'unexpected'; readonly error: GuestError }
  | { readonly origin: 'sandbox'; readonly kind: 'deadline'; readonly limitMs: number }
  | { readonly origin: 'sandbox'; readonly kind: 'cpu'; readonly limitMs: number }
  | { readonly origin: 'sandbox'; readonly kind: 'memory'; readonly what: 'heap' | 'resident'; readonly limitBytes: number }
  | { readonly origin: 'sandbox'; readonly kind: 'host-calls'; readonly limit: number }
  /** The sandbox process died by itself while it ran this execution. */
  | { readonly origin: 'sandbox'; readonly kind: 'crash' }
  /** The sandbox process or the guest said something that no honest one says. */
  | { readonly origin: 'sandbox'; readonly kind: 'protocol'; readonly detail: string }
  | {
      readonly origin: 'platform';
      readonly kind: 'no-worker';
      readonly pool: string;
      readonly workers: number;
      readonly queued: number;
      readonly waitedMs: number;
    }
  | { readonly origin: 'platform'; readonly kind: 'worker-lost'; readonly workerId: string }
  | { readonly origin: 'platform'; readonly kind: 'shutting-down' }
  | { readonly origin: 'platform'; readonly kind: 'bundle-unavailable'; readonly detail: string }
  | { readonly origin: 'platform'; readonly kind: 'throttled'; readonly detail: string };
