/** Statements 41 to 47 of the pipeline's reference: what the caller of a failed operation reads. */
import { expect, test } from 'vitest';
import { errorOf, traceIdOf, usePluginSystem } from '../support/plugin-system.ts';

const system = usePluginSystem();

const ANNOTATED = { headers: { prefer: 'odata.include-annotations="*"' } };

async function createWith(statement: string, options: { readonly headers?: Readonly<Record<string, string>> } = {}) {
  await system.install(`
    export const thrower = definePlugin({
      steps: [{ name: 'thrower', message: 'Create', table: 'account', stage: 'PreOperation' }],
      execute({ tracing }) { tracing.trace('a line of trace'); ${statement}; },
    });`);
  return await system.http.request('POST', 'accounts', { body: { name: 'Refused' }, ...options });
}

test('statement 41: a rejection is 400 with the code of plug-ins and exactly its own text, in exactly this shape', async () => {
  const answer = await createWith("throw new InvalidPluginExecutionException('Not allowed')");
  expect(answer.status).toBe(400);
  expect(answer.body).toEqual({ error: { code: '0x80040265', message: 'Not allowed' } });
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(answer.headers.get('odata-version')).toBe('4.0');
});

test('statement 42: a rejection chooses the HTTP status', async () => {
  const answer = await createWith("throw new InvalidPluginExecutionException('Busy', { httpStatus: PluginHttpStatusCode.Conflict })");
  expect(answer.status).toBe(409);
  expect(answer.body).toEqual({ error: { code: '0x80040265', message: 'Busy' } });
});

test('statement 43: a rejection without text shows a general message', async () => {
  const answer = await createWith('throw new InvalidPluginExecutionException()');
  expect(answer.status).toBe(400);
  const { code, message } = errorOf(answer);
  expect(code).toBe('0x80040265');
  expect(message).toBe(`The operation was cancelled by a business rule. Reference: ${traceIdOf(answer).slice(0, 8)}.`);
});

test('statement 44: any other error shows general text, and its own text is in the trace log alone', async () => {
  const answer = await createWith("throw new TypeError('the secret is 42')", ANNOTATED);
  expect(answer.status).toBe(500);
  expect(errorOf(answer).code).toBe('0x80040224');
  expect(errorOf(answer).message).toMatch(/^An unexpected error occurred from ISV code\./);
  expect(JSON.stringify(answer.body)).not.toContain('the secret is 42');
  const [row] = await system.traces(answer, 1);
  expect(row?.exceptiondetails).toContain('TypeError: the secret is 42');
});

test('statement 45: annotations come as texts when they are asked for, and not otherwise', async () => {
  const rejection = `throw new InvalidPluginExecutionException('No', { status: OperationStatus.Canceled, errorCode: 7, exceptionDetails: { column: 'name' } })`;
  const plain = await createWith(rejection);
  expect(plain.body).toEqual({ error: { code: '0x80040265', message: 'No' } });
  const error = errorOf(await createWith(rejection, ANNOTATED));
  expect(Object.values(error).every((value) => typeof value === 'string')).toBe(true);
  expect(error).toMatchObject({
    '@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus': '1',
    '@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode': '7',
    '@Microsoft.PowerApps.CDS.ErrorDetails.column': 'name',
    '@Microsoft.PowerApps.CDS.InnerError.Message': 'No',
  });
  expect(error['@Microsoft.PowerApps.CDS.HelpLink']).toContain('80040265');
  expect(error['@Microsoft.PowerApps.CDS.TraceText']).toContain('[suite: thrower ]');
  expect(error['@Microsoft.PowerApps.CDS.TraceText']).toContain('\ta line of trace\r\n');
});

test('statement 46: status and error code of a rejection, and the default code', async () => {
  const given = await createWith("throw new InvalidPluginExecutionException('x', { status: OperationStatus.Canceled, errorCode: 12345 })", ANNOTATED);
  expect(errorOf(given)).toMatchObject({
    '@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus': '1',
    '@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode': '12345',
  });
  const none = await createWith("throw new InvalidPluginExecutionException('x')", ANNOTATED);
  expect(errorOf(none)).toMatchObject({
    '@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus': '0',
    '@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode': '-2146233088',
  });
});

test('statement 47: HTML in a message arrives as the text that it is, in an answer that no browser reads as a page', async () => {
  const html = '<b>Not</b> <script>alert(1)</script> & "quoted"';
  const answer = await createWith(`throw new InvalidPluginExecutionException(${JSON.stringify(html)})`);
  expect(errorOf(answer).message).toBe(html);
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
});

test('what only looks like a rejection is an unexpected error', async () => {
  for (const forged of [
    "const e = new Error('forged'); e.name = 'InvalidPluginExecutionException'; e.errorCode = 1; throw e",
    "throw Object.create(InvalidPluginExecutionException.prototype, { message: { value: 'forged' } })",
    "throw { name: 'InvalidPluginExecutionException', message: 'forged', status: 0 }",
  ]) {
    const answer = await createWith(forged);
    expect([answer.status, errorOf(answer).code]).toEqual([500, '0x80040224']);
    expect(JSON.stringify(answer.body)).not.toContain('forged');
  }
});
