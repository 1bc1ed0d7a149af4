interface RegisteredError {
  /** The platform's code as callers compare it: 0x and eight hexadecimal digits; forever. */
  readonly code: string;
  readonly http: number;
  /** The same request may succeed later without a change. */
  readonly retriable?: true;
  /** `{name}` is replaced by the fact of that name. */
  readonly text: string;
}

/**
 * Every error that Airlock itself words. Codes are forever; texts may improve. Codes below 0x8008F000 are those of the
 * Dataverse catalogue (dataverse-facts §4), those above are Airlock's own. `docs/errors.md` is held equal by a test.
 */
export const errorCodes = {
  // Plug-ins and the sandbox
  PLUGIN_REJECTED: { code: '0x80040265', http: 400, text: '{message}' },
  PLUGIN_REJECTED_SILENTLY: { code: '0x80040265', http: 400, text: 'The operation was cancelled by a business rule. Reference: {reference}.' },
  PLUGIN_UNEXPECTED: { code: '0x80040224', http: 500, text: 'An unexpected error occurred from ISV code. Reference: {reference}.' },
  STEP_DEADLINE: {
    code: '0x80081111',
    http: 500,
    text: 'The plug-in step "{step}" ran longer than its limit of {limitMs} ms and was stopped. Reference: {reference}.',
  },
  STEP_CPU: {
    code: '0x8008f001',
    http: 500,
    text: 'The plug-in step "{step}" used more than its limit of {limitMs} ms of CPU time and was stopped. Reference: {reference}.',
  },
  STEP_MEMORY: {
    code: '0x8008f002',
    http: 500,
    text: 'The plug-in step "{step}" used more than its limit of {limitBytes} bytes of {what} memory and was stopped. Reference: {reference}.',
  },
  STEP_HOST_CALLS: {
    code: '0x8008f003',
    http: 500,
    text: 'The plug-in step "{step}" made more than its limit of {limit} host calls and was stopped. Reference: {reference}.',
  },
  STEP_CRASHED: {
    code: '0x8004418d',
    http: 500,
    text: 'The sandbox process that ran the plug-in step "{step}" crashed. This is typically due to the code of the plug-in. Reference: {reference}.',
  },
  STEP_PROTOCOL: {
    code: '0x8008f004',
    http: 500,
    text: 'The plug-in step "{step}" broke the protocol of the sandbox and was stopped. Reference: {reference}.',
  },
  WORKER_UNAVAILABLE: {
    code: '0x8004418e',
    http: 503,
    retriable: true,
    text: 'No worker of pool "{pool}" took the step "{step}" within {waitedMs} ms: {workers} workers, {queued} executions waiting. Reference: {reference}.',
  },
  WORKER_LOST: {
    code: '0x8008f005',
    http: 503,
    retriable: true,
    text: 'The worker that ran the plug-in step "{step}" was lost. Reference: {reference}.',
  },
  SHUTTING_DOWN: {
    code: '0x8008f006',
    http: 503,
    retriable: true,
    text: 'The worker or the server is shutting down; send the request again. Reference: {reference}.',
  },
  BUNDLE_UNAVAILABLE: {
    code: '0x80044191',
    http: 500,
    text: 'The bundle of the plug-in step "{step}" could not be loaded: {detail} Reference: {reference}.',
  },
  STEP_THROTTLED: {
    code: '0x80081116',
    http: 503,
    retriable: true,
    text: 'The plug-in step "{step}" is throttled: {detail} Reference: {reference}.',
  },
  // The pipeline
  PIPELINE_DEPTH_EXCEEDED: {
    code: '0x80044182',
    http: 400,
    text: 'The pipeline called itself more than {limit} times: {chain}. Break the loop, for example with filtering attributes.',
  },
  CONTEXT_TOO_LARGE: {
    code: '0x80040216',
    http: 400,
    text: 'Message size exceeded when sending context to Sandbox: {bytes} bytes, the limit is {limit}.',
  },
  TRANSACTION_CONFLICT: {
    code: '0x80040255',
    http: 503,
    retriable: true,
    text: 'The transaction was rolled back because it collided with another one ({reason}); nothing was changed. Send the request again.',
  },
  SQL_TIMEOUT: {
    code: '0x80044151',
    http: 503,
    retriable: true,
    text: 'A database statement ran longer than its limit of {limitMs} ms; nothing was changed.',
  },
  OUTCOME_UNKNOWN: {
    code: '0x8008f00a',
    http: 500,
    text: 'The connection to the database was lost while the operation was being committed, so whether it was applied is not known. Read the rows before you send it again.',
  },
  SERVICE_CALL_REFUSED: { code: '0x8008f007', http: 400, text: 'The service call was refused: {reason}' },
  MESSAGE_NOT_SUPPORTED: { code: '0x80040800', http: 400, text: 'The message "{message}" is not supported for the table "{table}".' },
  // Records
  RECORD_NOT_FOUND: { code: '0x80040217', http: 404, text: '{table} With Id = {id} Does Not Exist' },
  PRIVILEGE_DENIED: { code: '0x80040220', http: 403, text: 'The user {user} with the role "{role}" may not {right} rows of the table "{table}".' },
  VERSION_MISMATCH: { code: '0x80060882', http: 412, text: "The version of the existing record doesn't match the RowVersion property provided." },
  DUPLICATE_RECORD: { code: '0x80040237', http: 412, text: 'A record with matching key values already exists.' },
  DUPLICATE_KEY: {
    code: '0x80060892',
    http: 412,
    text: 'Entity Key {key} violated. A record with the same value for {columns} already exists. A duplicate record cannot be created. Select one or more unique values and try again.',
  },
  REQUIRED_COLUMN_MISSING: { code: '0x80040200', http: 400, text: "The column '{column}' of the table '{table}' is required and has no value." },
  UNKNOWN_COLUMN: { code: '0x0', http: 400, text: "Could not find a property named '{column}' on type 'Microsoft.Dynamics.CRM.{table}'." },
  UNKNOWN_PAYLOAD_COLUMN: {
    code: '0x0',
    http: 400,
    text: "An error occurred while validating input parameters: Microsoft.Crm.CrmException: Invalid property '{column}' was found in entity 'Microsoft.Dynamics.CRM.{table}'. ---> Could not find a property named '{column}' on type 'Microsoft.Dynamics.CRM.{table}'.",
  },
  READ_ONLY_COLUMN: {
    code: '0x80040203',
    http: 400,
    text: "The column '{column}' of the table '{table}' is set by the platform and cannot be written.",
  },
  INVALID_VALUE: {
    code: '0x80048d19',
    http: 400,
    text: "Error identified in Payload provided by the user for Entity :'{set}': the value of '{column}' {problem}.",
  },
  VALUE_TOO_LONG: {
    code: '0x80044331',
    http: 400,
    text: "A validation error occurred.  The length of the '{column}' attribute of the '{table}' entity exceeded the maximum allowed length of '{limit}'.",
  },
  VALUE_OUT_OF_RANGE: {
    code: '0x80044330',
    http: 400,
    text: "A validation error occurred.  The value {value} of '{column}' on record of type '{table}' is outside the valid range: {range}.",
  },
  CHOICE_UNKNOWN: {
    code: '0x80044330',
    http: 400,
    text: "A validation error occurred.  The value {value} of '{column}' on record of type '{table}' is not one of its choices: {choices}.",
  },
  LOOKUP_TARGET_MISSING: {
    code: '0x80040217',
    http: 404,
    text: "The row that '{column}' points to does not exist: {target} With Id = {id} Does Not Exist",
  },
  ROW_IN_USE: { code: '0x80040237', http: 412, text: "The row cannot be deleted because rows of the table '{table}' point to it." },
  // Requests
  INVALID_ARGUMENT: { code: '0x80040203', http: 400, text: '{problem}' },
  PAYLOAD_INVALID: { code: '0x80048d19', http: 400, text: 'Error identified in Payload provided by the user: {problem}' },
  SEGMENT_NOT_FOUND: { code: '0x8006088a', http: 404, text: "Resource not found for the segment '{segment}'." },
  REQUEST_URI_NOT_FOUND: { code: '', http: 404, text: "No HTTP resource was found that matches the request URI '{uri}'." },
  NOT_AUTHENTICATED: { code: '0x80048306', http: 401, text: 'The request carries no valid API key. Send it as "Authorization: Bearer <key>".' },
  ACCESS_DENIED: { code: '0x80048405', http: 403, text: 'Access is denied: {needs}.' },
  PAYLOAD_TOO_LARGE: { code: '0x80060891', http: 413, text: 'The request body has more than {limit} bytes.' },
  PAYLOAD_TOO_DEEP: { code: '0x80048d19', http: 400, text: 'The request body is nested deeper than {limit} levels.' },
  URL_TOO_LONG: { code: '0x80060891', http: 414, text: 'The request URL has more than {limit} characters.' },
  PAGE_TOO_LARGE: { code: '0x80040203', http: 400, text: 'A page holds at most {limit} rows; $top asked for {asked}.' },
  RATE_LIMITED: {
    code: '0x80072322',
    http: 429,
    retriable: true,
    text: 'Number of requests exceeded the limit of {limit} over time window of {seconds} seconds.',
  },
  OVERLOADED: {
    code: '0x80072326',
    http: 503,
    retriable: true,
    text: 'Number of concurrent requests exceeded the limit of {limit}; try again after {retryAfterSeconds} s.',
  },
  UNEXPECTED: { code: '0x80040216', http: 500, text: 'An unexpected error occurred. Reference: {reference}.' },
  NOT_IMPLEMENTED: { code: '0x80040219', http: 501, text: 'The requested functionality is not implemented: {what}.' },
  // Registrations
  ASYNC_STAGE: { code: '0x80044170', http: 400, text: 'Step "{step}": an asynchronous step runs on PostOperation only.' },
  STAGE_INVALID: {
    code: '0x80044184',
    http: 400,
    text: 'Step "{step}": steps are registered on PreValidation (10), PreOperation (20) or PostOperation (40), not on {stage}.',
  },
  STEP_NOT_ALLOWED: {
    code: '0x80044187',
    http: 400,
    text: 'Step "{step}": custom steps are not allowed on the message "{message}" of the table "{table}".',
  },
  MESSAGE_UNKNOWN: { code: '0x80040203', http: 400, text: 'Step "{step}": there is no message "{message}".' },
  TABLE_UNKNOWN: { code: '0x80040217', http: 404, text: 'There is no table "{table}".' },
  IMAGE_TYPE_INVALID: { code: '0x8004416d', http: 400, text: 'Step "{step}": Message {message} does not support this image type.' },
  POST_IMAGE_STAGE: { code: '0x8004416e', http: 400, text: 'Step "{step}": PreEvent step registration does not support Post Image.' },
  IMAGE_NOT_SUPPORTED: { code: '0x80044189', http: 400, text: 'Step "{step}": Message \'{message}\' does not support image registration.' },
  IMAGE_PROPERTY_INVALID: {
    code: '0x8004416b',
    http: 400,
    text: 'Step "{step}": Message property name \'{property}\' is not valid on message {message}.',
  },
  IMAGE_ALIAS_DUPLICATE: { code: '0x80044170', http: 400, text: 'Step "{step}": two images have the alias "{alias}".' },
  SECURE_CONFIGURATION_DEPLOYMENT: {
    code: '0x80044185',
    http: 400,
    text: 'Step "{step}": Only SdkMessageProcessingStep with ServerOnly supported deployment can have secure configuration.',
  },
  STEP_COLUMN_UNKNOWN: { code: '0x80040203', http: 400, text: 'Step "{step}": the table "{table}" has no column "{column}".' },
  STEP_INVALID: { code: '0x80044170', http: 400, text: 'Step "{step}": {problem}' },
  BUNDLE_TOO_LARGE: {
    code: '0x8004418f',
    http: 413,
    text: "The assembly content size '{bytes} bytes' has exceeded the maximum value allowed for isolated plug-ins '{limit} bytes'.",
  },
  BUNDLE_NOT_PARSEABLE: { code: '0x80044191', http: 400, text: 'The bundle cannot be parsed: {problem} ({place}).' },
  BUNDLE_THROWS_AT_LOAD: { code: '0x80044190', http: 400, text: 'The bundle throws while it loads: {problem} ({place}).' },
  BUNDLE_LIMIT_AT_LOAD: { code: '0x80044190', http: 400, text: 'The bundle cannot be loaded within its limits: {problem}' },
  BUNDLE_NO_TYPES: { code: '0x8004418b', http: 400, text: 'The bundle exports no plug-in type. Export at least one definePlugin({ … }).' },
  PLUGIN_TYPE_DUPLICATE: { code: '0x8004417c', http: 400, text: 'The bundle has more than one plug-in type with the name "{typeName}".' },
  PLUGIN_TYPE_INVALID: { code: '0x8004a200', http: 400, text: 'The plug-in type "{typeName}" has no execute function.' },
  BUNDLE_MANIFEST_INVALID: { code: '0x8004418b', http: 400, text: 'The manifest of the bundle is not valid: {problem}' },
  BUNDLE_VERSION_TAKEN: {
    code: '0x8004417b',
    http: 409,
    text: 'Version {version} of the bundle "{bundle}" exists with other content; raise the version.',
  },
  BUNDLE_IN_USE: { code: '0x80044170', http: 409, text: 'The bundle "{bundle}" cannot be removed: {steps} steps depend on it.' },
  BUNDLE_SIGNATURE_MISSING: {
    code: '0x8008f020',
    http: 403,
    text: 'The bundle "{bundle}" is not signed, and this organization takes signed bundles only. Push it with --sign and the private key of a registered signing key.',
  },
  BUNDLE_SIGNATURE_INVALID: {
    code: '0x8008f021',
    http: 403,
    text: 'The signature of the bundle does not fit what was uploaded: sha256 {digest}, organization {organization}, {bundle}@{version}, key {key}. Code, organization, name and version must be those that were signed.',
  },
  SIGNING_KEY_UNKNOWN: {
    code: '0x8008f022',
    http: 403,
    text: 'No signing key with the fingerprint {key} is registered. An operator registers its public key.',
  },
  SIGNING_KEY_REVOKED: { code: '0x8008f023', http: 403, text: 'The signing key "{name}" ({key}) was revoked; sign with another one.' },
  SIGNING_KEY_INVALID: { code: '0x8008f024', http: 400, text: 'This is not a public ed25519 key: {problem}' },
  SIGNING_KEY_EXISTS: { code: '0x8008f025', http: 409, text: 'The signing key {key} is registered already, as "{name}"{state}.' },
  EGRESS_GRANT_EXISTS: { code: '0x8008f030', http: 409, text: 'The step "{step}" has an egress grant for {target} already. Revoke it first.' },
  // Secrets
  MASTER_KEY_MISSING: {
    code: '0x8008f028',
    http: 503,
    text: 'A secure configuration cannot be stored: {problem} Start every dispatcher with AIRLOCK_MASTER_KEY_FILE, and set the value again.',
  },
  SECURE_CONFIGURATION_UNREADABLE: {
    code: '0x8008f029',
    http: 500,
    text: 'The plug-in step "{step}" cannot run because its secure configuration cannot be opened: {problem}',
  },
  // System jobs
  JOB_STATE_CHANGE_INVALID: {
    code: '0x80044162',
    http: 400,
    text: 'The target state could not be set because the state transition is not valid: the system job is "{state}".',
  },
  JOB_NOT_TO_READY: {
    code: '0x80044166',
    http: 400,
    text: 'The target state could not be set to ready because the state transition is not valid: the system job is "{state}".',
  },
  JOB_NOT_TO_SUSPENDED: {
    code: '0x80044167',
    http: 400,
    text: 'The target state could not be set to suspended because the state transition is not valid: the system job is "{state}".',
  },
  JOB_NOT_COMPLETED: {
    code: '0x8004416a',
    http: 400,
    text: 'Cannot delete async operation unless it is in Completed state; the system job is "{state}".',
  },
  JOB_CANNOT_CANCEL: { code: '0x80044f00', http: 400, text: 'This system job cannot be canceled.' },
  JOB_CANNOT_PAUSE: { code: '0x80044f01', http: 400, text: 'This system job cannot be paused.' },
} as const satisfies Record<string, RegisteredError>;

export type ErrorCode = keyof typeof errorCodes;
export type ErrorFacts = Readonly<Record<string, string | number>>;

/** The registered text with its facts filled in. */
export function errorText(code: ErrorCode, facts: ErrorFacts): string {
  return errorCodes[code].text.replace(/\{(\w+)\}/g, (whole, key: string) => String(facts[key] ?? whole));
}

/** An outcome with a registered code, thrown where a return value would have to pass through many hands. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError';
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;
  constructor(code: ErrorCode, facts: ErrorFacts = {}, options?: ErrorOptions) {
    super(errorText(code, facts), options);
    this.code = code;
    this.facts = facts;
  }
}
