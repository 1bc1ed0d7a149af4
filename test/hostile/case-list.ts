import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export type HostileClass =
  | 'ok'
  | 'business-error'
  | 'unexpected-error'
  | 'timeout'
  | 'cpu-limit'
  | 'memory-limit'
  | 'crash-contained'
  | 'rejected-at-upload';

export interface AssumedLimits {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly graceMs: number;
  readonly isolateMemoryMB: number;
  readonly processRssMB: number;
  readonly traceBytes: number;
  readonly userMessageChars: number;
  readonly serviceCalls: number;
  readonly serviceInFlight: number;
  readonly serviceRequestBytes: number;
}

export interface HostileCase {
  readonly name: string;
  readonly code: string;
  readonly expect: HostileClass;
  readonly alsoAccept: readonly HostileClass[];
  readonly userMessage?: string;
  readonly maxUserMessage?: number;
  readonly maxServiceCalls?: number;
  readonly forbidText?: readonly string[];
  readonly repeat?: number;
  /** The bundle declares itself stateless, so that the next execution finds its isolate. */
  readonly stateless?: boolean;
  /** Written out only when it is uploaded: a hostile one has megabytes. */
  readonly sourceMap?: { readonly before: string; readonly unit: string; readonly times: number; readonly after: string };
}

export const sourceMapText = ({ before, unit, times, after }: NonNullable<HostileCase['sourceMap']>): string => before + unit.repeat(times) + after;

interface ExpectedFile {
  readonly assumedLimits: AssumedLimits;
  readonly cases: Readonly<Record<string, Omit<HostileCase, 'name' | 'code'>>>;
}

/** Every bundle of a directory; one without an entry in `expected.json` is an error, not a case that is left out. */
export function readCases(directory: string): { readonly limits: AssumedLimits; readonly cases: readonly HostileCase[] } {
  // Ours, from the repository or the command line: trusted as far as a test may be.
  const expected = JSON.parse(readFileSync(path.join(directory, 'expected.json'), 'utf8')) as ExpectedFile;
  const files = readdirSync(directory)
    .filter((file) => file.endsWith('.js'))
    .sort();
  const cases = files.map((file): HostileCase => {
    const entry = expected.cases[file];
    if (entry === undefined) throw new Error(`${file} has no entry in expected.json`);
    return { ...entry, name: file, code: readFileSync(path.join(directory, file), 'utf8') };
  });
  if (cases.length === 0) throw new Error(`${directory} holds no *.js case`);
  return { limits: expected.assumedLimits, cases };
}
