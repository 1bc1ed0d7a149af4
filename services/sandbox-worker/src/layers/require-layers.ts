import type { LayerName } from './layer.ts';

export interface LayerPolicy {
  /** The pool runs plug-ins of several organizations. */
  readonly shared: boolean;
  readonly required: readonly LayerName[];
  /** What the operator accepts to be without, by name. */
  readonly allowWithout: readonly LayerName[];
}

/** Between two organizations stands more than the engine: `no-exec-memory` is what takes the compilers away. */
const FOR_SHARED_POOLS: readonly LayerName[] = ['bwrap', 'seccomp', 'no-exec-memory', 'rlimits'];

/** Says why a worker with these layers must not start. */
export function missingLayers(on: readonly LayerName[], { shared, required, allowWithout }: LayerPolicy): string | undefined {
  const wanted = new Set<LayerName>([...required, ...(shared ? FOR_SHARED_POOLS : [])]);
  const missing = [...wanted].filter((name) => !on.includes(name) && !allowWithout.includes(name));
  if (missing.length === 0) return undefined;
  const who = shared ? 'a pool shared by several organizations (AIRLOCK_SHARED_POOL)' : 'this pool (AIRLOCK_REQUIRE_LAYERS)';
  const hint = missing.includes('no-exec-memory') ? ' "no-exec-memory" needs AIRLOCK_JITLESS=1.' : '';
  return `${who} needs the layers ${missing.join(', ')}, which are not on; on are ${on.join(', ')}.${hint} To run without them all the same: AIRLOCK_ALLOW_WITHOUT=${missing.join(',')}`;
}
