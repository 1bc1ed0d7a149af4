import type { BundleDigest, StepId, UserId } from './ids.ts';
import type { StepLimits } from './limits.ts';
import type { IsolationMode, Mode } from './mode.ts';
import type { StepStage } from './stage.ts';

/** `sdkmessageprocessingstepimage.imagetype`. */
export const ImageType = { PreImage: 0, PostImage: 1, Both: 2 } as const;
export type ImageType = (typeof ImageType)[keyof typeof ImageType];

export interface StepImage {
  readonly entityAlias: string;
  readonly imageType: ImageType;
  readonly messagePropertyName: string;
  /** Logical column names; `undefined` means every column. */
  readonly attributes: readonly string[] | undefined;
}

/** `calling-user` is the platform's empty `impersonatinguserid`. */
export type RunAs = { readonly kind: 'calling-user' } | { readonly kind: 'system' } | { readonly kind: 'user'; readonly userId: UserId };

/** One registered step, as the plan and its execution need it. */
export interface Step {
  readonly id: StepId;
  readonly name: string;
  readonly messageName: string;
  /** `undefined`: the step runs for every table that supports the message. */
  readonly primaryTable: string | undefined;
  readonly stage: StepStage;
  readonly mode: Mode;
  readonly rank: number;
  /** Empty: every update. Only Update honours them. */
  readonly filteringAttributes: readonly string[];
  readonly images: readonly StepImage[];
  readonly runAs: RunAs;
  readonly enabled: boolean;
  readonly unsecureConfiguration: string;
  readonly secureConfiguration: string;
  readonly asyncAutoDelete: boolean;
  /** Of an asynchronous step: its jobs with the same value of this column of the target ('regarding': the row itself) run one at a time, in order. */
  readonly orderingKey?: string | undefined;
  /** Jobs of an asynchronous step that may run at once, over all dispatchers. */
  readonly maxConcurrency?: number | undefined;
  /** From 0: turns of the step's jobs when others wait too; a step with 3 gets four times those of one with 0. */
  readonly priority?: number | undefined;
  /** Overrides of the pool's limits; absent ones keep the default. */
  readonly limits: Partial<StepLimits>;
  /** Order of registration: the tie-break of equal ranks, so that an order once seen stays. */
  readonly createdOn: number;
  readonly plugin: PluginOfStep;
}

export interface PluginOfStep {
  readonly typeName: string;
  readonly bundleName: string;
  readonly bundleVersion: string;
  readonly bundleDigest: BundleDigest;
  /** Milliseconds since 1970 at which the version was uploaded: the clock that its top-level code sees. */
  readonly uploadedAtMs: number;
  /** The author declares that no state of an instance matters: the isolate may be reused where the pool allows it. */
  readonly stateless: boolean;
  readonly isolationMode: IsolationMode;
}
