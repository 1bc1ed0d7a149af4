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
