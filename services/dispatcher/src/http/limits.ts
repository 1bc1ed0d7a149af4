/** What one request may cost. Each limit is named in the error that it causes. */
export interface HttpLimits {
  readonly bodyBytes: number;
  /** For `POST /api/airlock/v1/bundles` only. */
  readonly bundleBodyBytes: number;
  /** Nesting of a JSON body, counted before it is parsed. */
  readonly jsonDepth: number;
  readonly urlChars: number;
  readonly pageRows: number;
  /** Requests of one API key within {@link rateWindowSeconds}. */
  readonly ratePerKey: number;
  /** Requests without a valid key from one address within {@link rateWindowSeconds}. */
  readonly rateUnauthenticated: number;
  readonly rateWindowSeconds: number;
  /** What a retriable error without a delay of its own tells the caller to wait. */
  readonly retryAfterSeconds: number;
}

export const defaultHttpLimits: HttpLimits = {
  bodyBytes: 1_048_576,
  bundleBodyBytes: 16 * 1_048_576,
  jsonDepth: 64,
  urlChars: 8_192,
  pageRows: 5_000,
  // 20 requests a second for five minutes: the service protection limit that clients of this API are built for.
  ratePerKey: 6_000,
  rateUnauthenticated: 300,
  rateWindowSeconds: 300,
  retryAfterSeconds: 2,
};
