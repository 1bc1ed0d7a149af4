/**
 * HTTP status that the caller of a rejected operation gets. `NotSet` leaves the choice to the platform, which answers 400.
 *
 * @example
 * throw new InvalidPluginExecutionException('Somebody else is editing the account.', { httpStatus: PluginHttpStatusCode.Conflict });
 */
export const PluginHttpStatusCode = {
  NotSet: 0,
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  RequestTimeout: 408,
  Conflict: 409,
  Gone: 410,
  PreconditionFailed: 412,
  RequestEntityTooLarge: 413,
  ExpectationFailed: 417,
  FailedDependency: 424,
  TooManyRequests: 429,
  InternalServerError: 500,
  BadGateway: 502,
  ServiceUnavailable: 503,
  GatewayTimeout: 504,
} as const;
export type PluginHttpStatusCode = (typeof PluginHttpStatusCode)[keyof typeof PluginHttpStatusCode];
