/**
 * What a plug-in asks the platform to do with the operation that it ends. Any of them rolls a synchronous operation back; in an
 * asynchronous step `Retry` asks for another attempt (four in all).
 *
 * @example
 * throw new InvalidPluginExecutionException('The rate service is closed.', { status: OperationStatus.Retry });
 */
export const OperationStatus = { Failed: 0, Canceled: 1, Retry: 2, Suspended: 3, Succeeded: 4 } as const;
export type OperationStatus = (typeof OperationStatus)[keyof typeof OperationStatus];
