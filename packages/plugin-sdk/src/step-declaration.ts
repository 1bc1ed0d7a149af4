/** Messages that the platform knows today. Any other text is allowed, for custom messages; the push checks it. */
export type MessageName = 'Create' | 'Update' | 'Upsert' | 'Delete' | 'Retrieve' | 'RetrieveMultiple' | (string & {});

/**
 * When a step runs: `PreValidation` before the transaction and the privilege check, `PreOperation` in the transaction before the main
 * operation (may change the target), `PostOperation` after it.
 */
export type StageName = 'PreValidation' | 'PreOperation' | 'PostOperation';

/** `Asynchronous` steps run on PostOperation only, after the commit, as system jobs. */
export type ModeName = 'Synchronous' | 'Asynchronous';

/**
 * A snapshot of the row before (`PreImage`) or after (`PostImage`) the operation. Create has no pre-image, Delete no post-image, and
 * post-images exist on PostOperation only.
 *
 * @example
 * { alias: 'before', type: 'PreImage', columns: ['creditlimit'] }
 */
export interface ImageDeclaration {
  /** Key under which the plug-in finds it. */
  readonly alias: string;
  readonly type: 'PreImage' | 'PostImage' | 'Both';
  /** Default: every column. Name them: it is faster, and shows what the plug-in depends on. */
  readonly columns?: readonly string[];
  /** Default: the message's own (`Target`). */
  readonly messageProperty?: string;
}

/**
 * What one execution may use. Unset ones keep the platform's default; the platform caps each of them. The one that is passed ends the
 * execution with a failure that names it.
 */
export interface StepLimits {
  /** Wall clock, service calls included. */
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** Trace text kept; of more the head and the tail stay. */
  readonly traceBytes: number;
  readonly hostCalls: number;
  readonly hostCallsInFlight: number;
  readonly hostCallBytes: number;
}

/**
 * When and how a plug-in runs. `airlock push` registers it; pushed again, a step is known by its `name`.
 *
 * @example
 * { message: 'Update', table: 'account', stage: 'PreOperation', filteringAttributes: ['creditlimit'],
 *   images: [{ alias: 'before', type: 'PreImage', columns: ['creditlimit'] }] }
 */
export interface StepDeclaration {
  /** Unique within the bundle; names the step across pushes. Default: made of type, message, table and stage. */
  readonly name?: string;
  readonly message: MessageName;
  /** Logical name. Default: every table that supports the message. */
  readonly table?: string;
  readonly stage: StageName;
  /** Default `Synchronous`. */
  readonly mode?: ModeName;
  /** Low ranks run first; default 1. Between equal ranks the older registration goes first. */
  readonly rank?: number;
  /** Update only: run when the request carries at least one of these columns. Default: always. */
  readonly filteringAttributes?: readonly string[];
  readonly images?: readonly ImageDeclaration[];
  /** Whose privileges the step uses: default `CallingUser`; otherwise `System` or a user's id. */
  readonly runAs?: 'CallingUser' | 'System' | (string & {});
  /** Handed over as `context.configuration.unsecure`. Everybody who may read steps can read it: no secrets. */
  readonly configuration?: string;
  /** Delete the system job when it succeeded. */
  readonly asyncAutoDelete?: boolean;
  /**
   * Asynchronous only: column of the target; jobs of the step with the same value run one at a time, in the order in which they were
   * queued. `regarding` means the row itself. Default: jobs run side by side.
   */
  readonly orderingKey?: string;
  /** Asynchronous only: so many jobs of the step run at once, on all workers together. Default: as many as there are slots. */
  readonly maxConcurrency?: number;
  /** Asynchronous only, 0 to 100: when several steps have jobs waiting, one with 3 gets four times the turns of one with 0. Default 0. */
  readonly priority?: number;
  readonly limits?: Partial<StepLimits>;
  /** Default true. An operator who disables the step later keeps it disabled. */
  readonly enabled?: boolean;
  readonly description?: string;
}
