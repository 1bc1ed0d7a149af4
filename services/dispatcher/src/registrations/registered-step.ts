import type { BundleDigest, StepId, StepImage } from '@airlock/pipeline';
import type { WantedStep } from './wanted-step.ts';

/** A declared step after the operator's values have been laid under it: every field has its value. */
export type SettledStep = Omit<WantedStep, 'rank' | 'enabled' | 'configuration'> & {
  readonly rank: number;
  readonly enabled: boolean;
  readonly configuration: string;
};

export interface RegisteredImage extends StepImage {
  readonly id: string;
}

/** A step of the bundle as it is registered now. */
export interface RegisteredStep extends Omit<SettledStep, 'images'> {
  readonly id: StepId;
  readonly bundleVersion: string;
  readonly hasSecureConfiguration: boolean;
  readonly supportedDeployment: number;
  readonly images: readonly RegisteredImage[];
}

export interface RegisteredVersion {
  readonly id: string;
  readonly version: string;
  readonly digest: BundleDigest;
  readonly stateless: boolean;
  /** The version that the bundle's own steps run. */
  readonly isCurrent: boolean;
  /** Fingerprint of the key that signed it. */
  readonly signedBy: string | undefined;
  /** Type name to row id. */
  readonly types: ReadonlyMap<string, string>;
}

/** All that one bundle has registered: its versions, latest upload last, and the steps that it owns. */
export interface RegisteredBundle {
  readonly versions: readonly RegisteredVersion[];
  readonly steps: readonly RegisteredStep[];
}
