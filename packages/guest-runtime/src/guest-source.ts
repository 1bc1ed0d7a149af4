import { readFileSync } from 'node:fs';
import { BOUNDARY_GLOBAL, RUNTIME_FILE } from './boundary.ts';

let script: string | undefined;

/** The text as generated; `pnpm generate` writes it and a test holds it equal to its sources. */
function guestScript(): string {
  script ??= readFileSync(new URL('./generated/guest-runtime.script', import.meta.url), 'utf8');
  return script;
}

/** Keys go into script text: nothing but plain characters. */
function checkedKey(key: string): string {
  if (!/^[A-Za-z0-9_-]{16,128}$/.test(key)) throw new RangeError('A guest runtime key is 16 to 128 characters of A-Z, a-z, 0-9, _ and -.');
  return key;
}

/** The boot script. `key` (random, one for each isolate or snapshot) is what the boundary asks for; guest code cannot read it. */
export function guestRuntimeSource(key: string): string {
  return `(()=>{"use strict";const AIRLOCK_KEY="${checkedKey(key)}";${guestScript()}})();\n//# sourceURL=${RUNTIME_FILE}`;
}

export interface GuestLoad {
  readonly code: string;
  readonly fileName: string;
  /** Time that the bundle's top-level code sees, milliseconds since 1970. */
  readonly clockMs: number;
  /** 32 hexadecimal digits. */
  readonly seed: string;
}

/** The script that loads a bundle, for the second place in a snapshot; how it went is asked by `loaded()` of the boundary. */
export function guestLoadSource(key: string, load: GuestLoad): string {
  const args = [load.code, load.fileName, load.clockMs, load.seed].map((value) => JSON.stringify(value)).join(',');
  return `void ${BOUNDARY_GLOBAL}("${checkedKey(key)}").load(${args});\n//# sourceURL=${RUNTIME_FILE}`;
}
