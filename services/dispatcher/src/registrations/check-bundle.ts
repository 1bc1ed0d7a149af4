import { createHash } from 'node:crypto';
import type { BundleDigest } from '@airlock/pipeline';
import { BundleManifest, type BundleUpload, MAX_BUNDLE_BYTES, MAX_SOURCE_MAP_BYTES, PlatformError } from '@airlock/protocol';
import type { z } from 'zod';
import { isStorableText } from './plain-text.ts';

/** An upload whose outside is in order: nothing of it has been run or parsed as code yet. */
export interface CheckedBundle {
  readonly manifest: BundleManifest;
  readonly digest: BundleDigest;
  readonly code: Buffer;
  readonly sourceMap: Buffer | undefined;
  readonly warnings: readonly string[];
}

/** Characters that make a reviewer read something else than the engine runs ("Trojan Source"). */
const BIDI_CONTROL = /[\u202a-\u202e\u2066-\u2069\u200e\u200f]/g;

export function checkBundle(upload: BundleUpload): CheckedBundle {
  const manifest = BundleManifest.safeParse(upload.manifest);
  if (!manifest.success) throw new PlatformError('BUNDLE_MANIFEST_INVALID', { problem: problemOf(manifest.error) });
  refuseUnstorable(manifest.data);
  const code = encode('code', upload.code);
  if (code.byteLength > MAX_BUNDLE_BYTES) throw new PlatformError('BUNDLE_TOO_LARGE', { bytes: code.byteLength, limit: MAX_BUNDLE_BYTES });
  const sourceMap = upload.sourceMap === undefined ? undefined : encode('sourceMap', upload.sourceMap);
  if (sourceMap !== undefined && sourceMap.byteLength > MAX_SOURCE_MAP_BYTES) {
    const problem = `sourceMap has ${sourceMap.byteLength} bytes, the limit is ${MAX_SOURCE_MAP_BYTES}.`;
    throw new PlatformError('BUNDLE_MANIFEST_INVALID', { problem });
  }
  // The brand is earned here: these are the exact bytes that are stored and served.
  const digest = createHash('sha256').update(code).digest('hex') as BundleDigest;
  return { manifest: manifest.data, digest, code, sourceMap, warnings: warningsOf(upload.code) };
}

/** Postgres refuses NUL and half surrogate pairs in text and JSON. */
function refuseUnstorable({ description, sdkVersion }: BundleManifest): void {
  for (const [field, text] of Object.entries({ description, sdkVersion })) {
    if (isStorableText(text)) continue;
    throw new PlatformError('BUNDLE_MANIFEST_INVALID', { problem: `${field}: holds NUL or half of a surrogate pair.` });
  }
}

/** A lone surrogate has no UTF-8 form: encoding it would silently store other code than was sent. */
function encode(field: string, text: string): Buffer {
  if (!text.isWellFormed()) {
    throw new PlatformError('BUNDLE_NOT_PARSEABLE', { problem: 'it holds half of a surrogate pair and so is not Unicode text', place: field });
  }
  return Buffer.from(text, 'utf8');
}

function warningsOf(code: string): string[] {
  const warnings: string[] = [];
  if (code.startsWith('\ufeff')) warnings.push('The code begins with a byte order mark.');
  const found = [...code.matchAll(BIDI_CONTROL)];
  const first = found[0];
  if (first !== undefined) {
    const line = code.slice(0, first.index).split('\n').length;
    warnings.push(
      `The code holds ${found.length} bidirectional control characters (the first on line ${line}): it may run otherwise than it reads. Escape them.`,
    );
  }
  return warnings;
}

const MAX_PROBLEMS = 5;

/** `name: must be …; version: …`, with the path of each. */
export function problemOf(error: z.ZodError, under = ''): string {
  const lines = error.issues.slice(0, MAX_PROBLEMS).map((issue) => {
    const path = [under, ...issue.path.map(String)].filter((part) => part !== '').join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  return error.issues.length > MAX_PROBLEMS ? `${lines.join('; ')}; and ${error.issues.length - MAX_PROBLEMS} more` : lines.join('; ');
}
