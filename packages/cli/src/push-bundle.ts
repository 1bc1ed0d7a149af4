import { type BundleSignature, type BundleUpload, PushResult } from '@airlock/protocol';
import { type BuiltBundle, buildBundle } from './build-bundle.ts';
import { type Connection, callApi } from './call-api.ts';

export interface PushOptions extends Connection {
  /** A project's folder, which is built first, or what was built before. */
  readonly bundle: string | Pick<BuiltBundle, 'manifest' | 'code' | 'sourceMap'>;
  /** Of exactly this bundle: `signBundle`. */
  readonly signature?: BundleSignature;
  /** Only say what would change. */
  readonly plan?: boolean;
}

/**
 * Uploads a bundle; the server registers its types and declared steps, all or nothing. Pushing the same again changes nothing.
 * Throws `BuildError` or `ApiError`.
 */
export async function pushBundle({ bundle, signature, plan = false, ...connection }: PushOptions): Promise<PushResult> {
  const { manifest, code, sourceMap } = typeof bundle === 'string' ? await buildBundle(bundle) : bundle;
  const body: BundleUpload = { manifest, code, sourceMap, ...(signature && { signature }) };
  return callApi(connection, { method: 'POST', path: plan ? 'bundles?plan=true' : 'bundles', body }, PushResult);
}

/** Whether a push (or its plan) has anything to do. */
export function hasChanges({ changes }: Pick<PushResult, 'changes'>): boolean {
  return changes.some(({ action }) => action !== 'unchanged');
}
