/** What the platform says of a service call that failed. */
export interface ServiceFault {
  /** `0x` and eight hexadecimal digits, e.g. `0x80040217` for a row that does not exist. */
  readonly code: string;
  /** The same as a signed 32-bit number. */
  readonly errorCode: number;
  readonly message: string;
  readonly httpStatus: number;
  /** The same call may succeed later without a change. */
  readonly retriable: boolean;
  /** Names the trace that shows the cause. */
  readonly traceId: string;
}

/** The instance side of {@link OrganizationServiceFault}. */
export interface OrganizationServiceFault extends Error, ServiceFault {
  readonly message: string;
}

export interface OrganizationServiceFaultConstructor {
  new (fault: ServiceFault): OrganizationServiceFault;
  readonly prototype: OrganizationServiceFault;
}

class LocalOrganizationServiceFault extends Error implements OrganizationServiceFault {
  override readonly name = 'OrganizationServiceFault';
  readonly code: string;
  readonly errorCode: number;
  readonly httpStatus: number;
  readonly retriable: boolean;
  readonly traceId: string;

  constructor(fault: ServiceFault) {
    super(fault.message);
    this.code = fault.code;
    this.errorCode = fault.errorCode;
    this.httpStatus = fault.httpStatus;
    this.retriable = fault.retriable;
    this.traceId = fault.traceId;
  }
}

const sandbox = globalThis as { readonly OrganizationServiceFault?: OrganizationServiceFaultConstructor };

/**
 * What a call of the organization service rejects with. It can be caught: what the failed call did is undone, the rest of the
 * transaction stays usable. One that leaves `execute` is an unexpected error, so turn it into a rejection if the user should read it.
 *
 * @example
 * try {
 *   await context.organizationService.retrieve('account', id, ['name']);
 * } catch (error) {
 *   if (!(error instanceof OrganizationServiceFault) || error.code !== '0x80040217') throw error;
 *   throw new InvalidPluginExecutionException('The parent account is gone.', { cause: error });
 * }
 */
export const OrganizationServiceFault: OrganizationServiceFaultConstructor = sandbox.OrganizationServiceFault ?? LocalOrganizationServiceFault;
