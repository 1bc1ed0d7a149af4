import { PlatformError } from '@airlock/protocol';

/** What `If-Match` and `If-None-Match` ask of the row as it is now. */
export interface Conditions {
  /** `If-Match: *`: only if it exists. `If-Match: W/"7"`: only in that version. */
  readonly match: 'any' | 'exists' | number;
  /** `If-None-Match: *`: only if it does not exist. `If-None-Match: W/"7"`: only in another version. */
  readonly noneMatch: 'any' | 'absent' | number;
}

const ETAG = /^(?:W\/)?"([0-9]{1,16})"$/;

export function parseConditions(ifMatch: string | undefined, ifNoneMatch: string | undefined): Conditions {
  const match = headerOf(ifMatch);
  const noneMatch = headerOf(ifNoneMatch);
  return {
    match: match === undefined ? 'any' : match === '*' ? 'exists' : versionOf('If-Match', match),
    noneMatch: noneMatch === undefined ? 'any' : noneMatch === '*' ? 'absent' : versionOf('If-None-Match', noneMatch),
  };
}

/** Clients of this API send the text `null` where they mean no condition. */
function headerOf(value: string | undefined): string | undefined {
  const text = value?.trim();
  return text === undefined || text === '' || text.toLowerCase() === 'null' ? undefined : text;
}

function versionOf(header: string, value: string): number {
  const version = Number(ETAG.exec(value)?.[1] ?? Number.NaN);
  // A version that no double carries exactly belongs to no row.
  if (!Number.isSafeInteger(version)) {
    throw new PlatformError('INVALID_ARGUMENT', { problem: `The header ${header} must be * or one ETag such as W/"123".` });
  }
  return version;
}

export function etagOf(version: number): string {
  return `W/"${version}"`;
}
