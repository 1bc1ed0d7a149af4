import { expect, expectTypeOf, test, vi } from 'vitest';
import { InvalidPluginExecutionException } from './invalid-plugin-execution-exception.ts';
import { OperationStatus } from './operation-status.ts';
import { OrganizationServiceFault } from './organization-service-fault.ts';
import { PluginHttpStatusCode } from './plugin-http-status-code.ts';

test('without options a rejection has the defaults of the platform', () => {
  const thrown = new InvalidPluginExecutionException();
  expect(thrown).toMatchObject({
    name: 'InvalidPluginExecutionException',
    message: '',
    status: 0,
    errorCode: -2146233088,
    httpStatus: 0,
    exceptionDetails: {},
  });
  expect(thrown.retryAfterMs).toBeUndefined();
});

test('a rejection carries everything that it was given', () => {
  const cause = new Error('first');
  const options = {
    status: OperationStatus.Retry,
    errorCode: 12345,
    httpStatus: PluginHttpStatusCode.Conflict,
    exceptionDetails: { column: 'name' },
    retryAfterMs: 500,
  };
  expect(new InvalidPluginExecutionException('Later.', { ...options, cause })).toMatchObject({ message: 'Later.', cause, ...options });
});

test('an explicit error code of 0 keeps the default', () => {
  expect(new InvalidPluginExecutionException('x', { errorCode: 0 }).errorCode).toBe(-2146233088);
});

test('message and options may come as one object', () => {
  expect(new InvalidPluginExecutionException({ message: 'No.', status: OperationStatus.Canceled })).toMatchObject({ message: 'No.', status: 1 });
});

test('a rejection around another one keeps its HTTP status, unless it names its own', () => {
  const cause = new InvalidPluginExecutionException('inner', { httpStatus: PluginHttpStatusCode.Conflict });
  expect(new InvalidPluginExecutionException('outer', { cause }).httpStatus).toBe(409);
  expect(new InvalidPluginExecutionException('outer', { cause, httpStatus: 403 }).httpStatus).toBe(403);
});

test.for([
  ['a status that there is not', { status: 5 }],
  ['an error code of more than 32 bits', { errorCode: 2 ** 31 }],
  ['an HTTP status that means success', { httpStatus: 200 }],
  ['a wait of more than a day', { retryAfterMs: 86_400_001 }],
  ['a detail that is no text', { exceptionDetails: { rows: 3 } }],
  ['too many details', { exceptionDetails: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`d${n}`, 'x'])) }],
] as const)('%s is refused as the sandbox refuses it', ([, options]) => {
  expect(() => new InvalidPluginExecutionException('x', options as never)).toThrow(/^InvalidPluginExecutionException: /);
});

test('a rejection without a cause has none', () => {
  expect(Object.hasOwn(new InvalidPluginExecutionException('x'), 'cause')).toBe(false);
});

test('its details cannot be changed from outside', () => {
  const exceptionDetails = { column: 'name' };
  const thrown = new InvalidPluginExecutionException('x', { exceptionDetails });
  exceptionDetails.column = 'other';
  expect(thrown.exceptionDetails).toEqual({ column: 'name' });
});

test('it is an error, and can be extended', () => {
  class Mine extends InvalidPluginExecutionException {}
  expect(new Mine('x')).toBeInstanceOf(InvalidPluginExecutionException);
  expectTypeOf<InvalidPluginExecutionException>().toExtend<Error>();
});

test('in a sandbox the classes of the sandbox are used, because only those are genuine', async () => {
  class Genuine extends Error {}
  class GenuineFault extends Error {}
  vi.stubGlobal('InvalidPluginExecutionException', Genuine);
  vi.stubGlobal('OrganizationServiceFault', GenuineFault);
  vi.resetModules();
  const sdk = await import('./index.ts');
  vi.unstubAllGlobals();
  expect(sdk.InvalidPluginExecutionException).toBe(Genuine);
  expect(sdk.OrganizationServiceFault).toBe(GenuineFault);
});

test('a fault shows what the platform said', () => {
  const fault = { code: '0x80040217', errorCode: -2147220969, message: 'gone', httpStatus: 404, retriable: false, traceId: 'a'.repeat(32) };
  expect(new OrganizationServiceFault(fault)).toMatchObject({ name: 'OrganizationServiceFault', ...fault });
});
