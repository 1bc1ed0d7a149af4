declare const brand: unique symbol;
/** A value of type `T` that only a parser or a generator of its own kind may produce. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };

export type StepId = Branded<string, 'StepId'>;
export type SystemJobId = Branded<string, 'SystemJobId'>;
export type UserId = Branded<string, 'UserId'>;
export type OrganizationId = Branded<string, 'OrganizationId'>;
export type CorrelationId = Branded<string, 'CorrelationId'>;
export type RequestId = Branded<string, 'RequestId'>;
/** SHA-256 of the exact bytes of a bundle's code, in lower-case hexadecimal. */
export type BundleDigest = Branded<string, 'BundleDigest'>;
/** 1 for the first try of a system job; counts tries, not repeats. */
export type Attempt = Branded<number, 'Attempt'>;

/** Ids whose text is a uuid; which one it is, the caller of the parser says. */
type UuidId = StepId | SystemJobId | UserId | OrganizationId | CorrelationId | RequestId;

/** `00000000-0000-0000-0000-000000000000`: "none" where the platform's contract wants an id. */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** Any version and either case; the result is lower case, so that ids compare as text. `undefined`: not a uuid. */
export function parseUuid(text: string): string | undefined {
  const lower = text.toLowerCase();
  return UUID.test(lower) ? lower : undefined;
}

function parseId<Id extends UuidId>(text: string): Id | undefined {
  return parseUuid(text) as Id | undefined; // the one place where a checked uuid gets its brand
}

export const parseStepId = (text: string): StepId | undefined => parseId<StepId>(text);
export const parseSystemJobId = (text: string): SystemJobId | undefined => parseId<SystemJobId>(text);
export const parseUserId = (text: string): UserId | undefined => parseId<UserId>(text);
export const parseOrganizationId = (text: string): OrganizationId | undefined => parseId<OrganizationId>(text);
export const parseCorrelationId = (text: string): CorrelationId | undefined => parseId<CorrelationId>(text);
export const parseRequestId = (text: string): RequestId | undefined => parseId<RequestId>(text);

export function parseBundleDigest(text: string): BundleDigest | undefined {
  const lower = text.toLowerCase();
  return DIGEST.test(lower) ? (lower as BundleDigest) : undefined; // checked on this line
}

/** `undefined`: not a whole number from 1. */
export function parseAttempt(value: number): Attempt | undefined {
  return Number.isSafeInteger(value) && value >= 1 ? (value as Attempt) : undefined; // checked on this line
}
