import type { Step, StepLimits } from '@airlock/pipeline';
import type { AssignedStep } from '@airlock/protocol';
import { randomText } from '../bus/random-text.ts';
import { newId, newToken } from '../bus/worker-bus.ts';

/** A step as a worker is told to run it, now: an execution of its own with a token, a clock and a seed. The same for operations and system jobs. */
export function assignedStepOf(step: Step, limits: StepLimits): AssignedStep {
  const { plugin } = step;
  return {
    executionId: newId(),
    token: newToken(),
    stepId: step.id,
    stepName: step.name,
    bundle: {
      digest: plugin.bundleDigest,
      name: plugin.bundleName,
      version: plugin.bundleVersion,
      uploadedAtMs: plugin.uploadedAtMs,
      stateless: plugin.stateless,
    },
    typeName: plugin.typeName,
    limits,
    startMs: Date.now(),
    seed: randomText(16, 'hex'),
  };
}
