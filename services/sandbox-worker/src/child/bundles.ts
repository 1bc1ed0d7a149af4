import type { Engine, Guest } from '../engine/engine.ts';

export interface LoadedBundle {
  readonly digest: string;
  readonly name: string;
  readonly uploadedAtMs: number;
  readonly code: string;
}

/** The same number, and the same order of forgetting, as `BUNDLES_PER_CHILD` in the supervisor. */
const MAX_BUNDLES = 8;
const MAX_PREPARED = 8;
const PREPARE_TIMEOUT_MS = 5_000;

/** What every run needs once in its isolate; ahead of the run, it costs the run nothing. `false`: the bundle is of no use. */
async function warmUp(guest: Guest): Promise<boolean> {
  // Reading the types runs the bundle's getters.
  if ('failure' in guest.types(PREPARE_TIMEOUT_MS)) return false;
  const failure = await guest.prime(PREPARE_TIMEOUT_MS);
  // `failed` is a promise that the bundle rejected and left alone: no reason not to run it.
  return failure === undefined || failure === 'failed';
}

export const preparationKey = (digest: string, heapBytes: number): string => `${digest}/${heapBytes}`;

/** Seed of the randomness that a bundle's top-level code sees: the same for every load of it. */
const loadSeed = (digest: string): string => digest.slice(0, 32);
export const bundleFileName = (name: string): string => `${name.replaceAll(/[^A-Za-z0-9_.@/-]/g, '_') || 'bundle'}.js`;

export type Opened =
  | { readonly guest: Guest }
  | { readonly failure: 'heap' | 'deadline' | 'failed' }
  | { readonly broke: string; readonly thrown: unknown };

/** Codes of bundles and the isolates that wait with one of them loaded. */
export function createBundles(engine: Engine) {
  const bundles = new Map<string, LoadedBundle>();
  const prepared: { readonly key: string; readonly guest: Guest }[] = [];

  const open = (bundle: LoadedBundle, heapBytes: number, timeoutMs: number): Opened => {
    const guest = engine.createGuest(heapBytes);
    const loading = { code: bundle.code, fileName: bundleFileName(bundle.name), clockMs: bundle.uploadedAtMs, seed: loadSeed(bundle.digest) };
    const loaded = guest.load(loading, timeoutMs);
    if ('answer' in loaded) {
      const answer = JSON.parse(loaded.answer) as { ok: boolean; broke?: string; thrown?: unknown };
      if (answer.ok) return { guest };
      guest.dispose();
      return { broke: answer.broke ?? 'throws-at-load', thrown: answer.thrown };
    }
    guest.dispose();
    return loaded;
  };

  return {
    open,
    add: (bundle: LoadedBundle): void => {
      bundles.set(bundle.digest, bundle);
      if (bundles.size > MAX_BUNDLES) bundles.delete(bundles.keys().next().value ?? '');
    },
    get: (digest: string): LoadedBundle | undefined => bundles.get(digest),
    /** Returns how many wait; fewer than asked for when the bundle does not load. */
    prepare: async (digest: string, heapBytes: number, count: number): Promise<number> => {
      const key = preparationKey(digest, heapBytes);
      const bundle = bundles.get(digest);
      let waiting = prepared.filter((one) => one.key === key).length;
      while (bundle !== undefined && waiting < count) {
        const opened = open(bundle, heapBytes, PREPARE_TIMEOUT_MS);
        if (!('guest' in opened)) break;
        if (!(await warmUp(opened.guest))) {
          opened.guest.dispose();
          break;
        }
        prepared.push({ key, guest: opened.guest });
        waiting += 1;
      }
      while (prepared.length > MAX_PREPARED) prepared.shift()?.guest.dispose();
      return waiting;
    },
    /** Takes a waiting isolate out. */
    take: (digest: string, heapBytes: number): Guest | undefined => {
      const index = prepared.findIndex((one) => one.key === preparationKey(digest, heapBytes));
      return index < 0 ? undefined : prepared.splice(index, 1)[0]?.guest;
    },
    count: (key: string): number => prepared.filter((one) => one.key === key).length,
  };
}
export type Bundles = ReturnType<typeof createBundles>;
