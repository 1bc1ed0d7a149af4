export type { PushResult } from '@airlock/protocol';
export { ApiError } from './api-error.ts';
export { type BuiltBundle, buildBundle } from './build-bundle.ts';
export { BuildError, type BuildProblem } from './build-error.ts';
export type { Connection } from './call-api.ts';
export { hasChanges, type PushOptions, pushBundle } from './push-bundle.ts';
export { signBundle } from './sign-bundle.ts';
export { digestOf, writeBundle } from './write-bundle.ts';
