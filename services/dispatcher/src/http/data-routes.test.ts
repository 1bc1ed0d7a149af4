import type { InjectOptions } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fault } from './record-fixtures.ts';
import { createServerFixture, type ServerFixture, userIds } from './server-fixture.ts';

const ROOT = '/api/data/v9.2';
const ID = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa';
const CONTACT = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb';
const ORIGIN = 'http://crm.example:8080';

let fixture: ServerFixture;
beforeEach(() => {
  fixture = createServerFixture();
});
afterEach(() => fixture.server.close());

type Method = Exclude<InjectOptions['method'], undefined>;
async function ask(method: Method, path: string, { headers = {}, body }: { headers?: Record<string, string>; body?: unknown } = {}) {
  const answer = await fixture.server.inject({
    method,
    url: `${ROOT}${path}`,
    headers: { host: 'crm.example:8080', authorization: 'Bearer alk_user', 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const isJson = String(answer.headers['content-type'] ?? '').startsWith('application/json');
  return { status: answer.statusCode, headers: answer.headers, text: answer.body, json: isJson ? answer.json() : undefined };
}
const lastRequest = () => fixture.records.requests.at(-1);
const RETURN = { prefer: 'return=representation' };

describe('create', () => {
  test('answers 204 with the address of the new row', async () => {
    const { status, headers, text } = await ask('POST', '/accounts', { body: { accountid: ID, name: 'Contoso' } });
    expect([status, text]).toEqual([204, '']);
    expect(headers['odata-entityid']).toBe(`${ORIGIN}${ROOT}/accounts(${ID})`);
    expect(headers['odata-version']).toBe('4.0');
  });
  test('answers 201 with the selected columns, the key and the ETag when the representation is wanted', async () => {
    const { status, headers, json } = await ask('POST', '/accounts?$select=name', { headers: RETURN, body: { accountid: ID, name: 'Contoso' } });
    expect(status).toBe(201);
    expect(headers['preference-applied']).toBe('return=representation');
    expect(json).toEqual({
      '@odata.context': `${ORIGIN}${ROOT}/$metadata#accounts(name)/$entity`,
      '@odata.etag': 'W/"1"',
      accountid: ID,
      name: 'Contoso',
    });
  });
  test('a committed row whose read fails is still reported as created', async () => {
    const original = fixture.records.executeMessage;
    await fixture.server.close();
    fixture = createServerFixture({
      executeMessage: async (request) =>
        request.messageName === 'Retrieve' ? { ok: false, fault: fault(403, '0x80040220', 'no') } : original(request),
    });
    const { status, headers } = await ask('POST', '/accounts', { headers: RETURN, body: { name: 'x' } });
    expect(status).toBe(204);
    expect(headers['preference-applied']).toBeUndefined();
  });
  test('reads a body that was encoded twice', async () => {
    await ask('POST', '/accounts', { body: JSON.stringify(JSON.stringify({ name: 'Twice' })) });
    expect(lastRequest()?.inputParameters['Target']).toMatchObject({ attributes: { name: 'Twice' } });
  });
  test('ignores control information', async () => {
    const body = { '@odata.type': 'Microsoft.Dynamics.CRM.account', '@odata.context': 'x', 'name@x': 1, name: 'A' };
    await ask('POST', '/accounts', { body });
    expect(lastRequest()?.inputParameters['Target']).toEqual({ logicalName: 'account', attributes: { name: 'A' } });
  });
  test.for([
    ['primarycontactid@odata.bind', `contacts(${CONTACT})`, 'primarycontactid'],
    ['primarycontactid@odata.bind', `/contacts(${CONTACT.toUpperCase()})`, 'primarycontactid'],
    ['primarycontactid@odata.bind', `https://else.example/api/data/v9.1/contacts(${CONTACT})`, 'primarycontactid'],
    ['primarycontactid@odata.bind', `https://else.example/api/data/v9.1//contacts(${CONTACT})`, 'primarycontactid'],
    ['regardingobjectid_contact@odata.bind', `contacts(${CONTACT})`, 'regardingobjectid'],
  ] as const)('binds %s to %s', async ([property, reference, name]) => {
    const { status } = await ask('POST', '/accounts', { body: { [property]: reference } });
    expect(status).toBe(204);
    expect(lastRequest()?.inputParameters['Target']).toMatchObject({ attributes: { [name]: { logicalName: 'contact', id: CONTACT } } });
  });
  test('binds by an alternate key', async () => {
    await ask('POST', '/contacts', { body: { contactid: CONTACT, emailaddress1: 'a@b.c' } });
    await ask('POST', '/accounts', { body: { 'primarycontactid@odata.bind': "contacts(emailaddress1='a@b.c')" } });
    expect(lastRequest()?.inputParameters['Target']).toMatchObject({ attributes: { primarycontactid: { logicalName: 'contact', id: CONTACT } } });
  });
  test.for([
    ['a navigation property that does not exist', { 'nothing@odata.bind': `contacts(${CONTACT})` }, '0x80048d19'],
    ['a lookup to another table', { 'primarycontactid@odata.bind': `accounts(${CONTACT})` }, '0x80048d19'],
    ['a lookup written as a value', { primarycontactid: CONTACT }, '0x80048d19'],
    ['an unknown column', { Name: 'x' }, '0x0'],
    ['a prototype', '{"__proto__":{"name":"x"}}', '0x0'],
    ['a column of the platform', { createdon: '2026-01-01T00:00:00Z' }, '0x80040203'],
    ['a number for a text', { name: 5 }, '0x80048d19'],
    ['a decimal with more digits than are kept', '{"creditlimit":1234567890123.4567891}', '0x80048d19'],
    ['a list', [], '0x80048d19'],
    ['no body', undefined, '0x80048d19'],
    ['half a body', '{"name":', '0x80048d19'],
    ['a text that is too long', { name: 'x'.repeat(161) }, '0x80044331'],
  ] as const)('refuses %s with 400', async ([, body, code]) => {
    const { status, headers, json } = await ask('POST', '/accounts', { body });
    expect([status, json?.error.code]).toEqual([400, code]);
    expect(headers['content-type']).toBe('application/json; odata.metadata=minimal');
    expect(fixture.records.requests).toEqual([]);
  });
  test('a float takes the nearest double of a long number', async () => {
    await ask('POST', '/accounts', { body: '{"score":0.1000000000000000055511151231257827}' });
    expect(lastRequest()?.inputParameters['Target']).toMatchObject({ attributes: { score: 0.1 } });
  });
});

describe('a row', () => {
  beforeEach(async () => {
    await ask('POST', '/contacts', { body: { contactid: CONTACT, lastname: 'Byte' } });
    const body = {
      accountid: ID,
      name: 'Contoso',
      accountnumber: "A'1",
      industrycode: 2,
      interests: '2,1',
      'primarycontactid@odata.bind': `contacts(${CONTACT})`,
    };
    await ask('POST', '/accounts', { body });
  });
  test('is retrieved with its lookups as _name_value, and its key whatever was selected', async () => {
    const { status, json } = await ask('GET', `/accounts(${ID.toUpperCase()})?$select=name,_primarycontactid_value`);
    expect(status).toBe(200);
    expect(json).toEqual({
      '@odata.context': `${ORIGIN}${ROOT}/$metadata#accounts(name,_primarycontactid_value)/$entity`,
      '@odata.etag': 'W/"2"',
      accountid: ID,
      name: 'Contoso',
      _primarycontactid_value: CONTACT,
    });
  });
  test('shows formatted values of choices and the table of a lookup when asked', async () => {
    const { json } = await ask('GET', `/accounts(${ID})?$select=industrycode,interests,_primarycontactid_value`, {
      headers: { prefer: 'odata.include-annotations="*"' },
    });
    expect(json).toMatchObject({
      'industrycode@OData.Community.Display.V1.FormattedValue': 'Farming',
      'interests@OData.Community.Display.V1.FormattedValue': 'Bus; Rail',
      interests: '1,2',
      '_primarycontactid_value@Microsoft.Dynamics.CRM.lookuplogicalname': 'contact',
      '_primarycontactid_value@Microsoft.Dynamics.CRM.associatednavigationproperty': 'primarycontactid',
    });
  });
  test.for([`(accountnumber='A''1')`, '(accountnumber=%27A%27%271%27)'])('is found by its alternate key %s', async (key) => {
    const { status, json } = await ask('GET', `/accounts${key}?$select=name`);
    expect([status, json?.name]).toEqual([200, 'Contoso']);
  });
  test('without a key value is not what an empty key names', async () => {
    await ask('POST', '/accounts', { body: { name: 'No number' } });
    for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
      expect(await ask(method, "/accounts(accountnumber='')", method === 'PATCH' ? { body: {} } : {})).toMatchObject({ status: 400 });
    }
    expect(fixture.records.requests.map(({ messageName }) => messageName)).toEqual(['Create', 'Create', 'Create']);
  });
  test('is not looked for by columns that are no key', async () => {
    expect((await ask('GET', "/accounts(name='Contoso')")).status).toBe(400);
  });
  test('answers 304 to its own ETag, 200 to another, and 200 with annotations', async () => {
    const path = `/accounts(${ID})?$select=name`;
    expect(await ask('GET', path, { headers: { 'if-none-match': 'W/"2"' } })).toMatchObject({ status: 304, text: '' });
    expect(await ask('GET', path, { headers: { 'if-none-match': 'W/"1"' } })).toMatchObject({ status: 200 });
    expect(await ask('GET', path, { headers: { 'if-none-match': 'W/"2"', prefer: 'odata.include-annotations="*"' } })).toMatchObject({ status: 200 });
    expect(await ask('GET', path, { headers: { 'if-none-match': 'null' } })).toMatchObject({ status: 200 });
  });
  test('is updated only in the version of If-Match', async () => {
    expect(await ask('PATCH', `/accounts(${ID})`, { headers: { 'if-match': 'W/"1"' }, body: { name: 'B' } })).toMatchObject({ status: 412 });
    expect(await ask('PATCH', `/accounts(${ID})`, { headers: { 'if-match': 'W/"2"' }, body: { name: 'B' } })).toMatchObject({ status: 204 });
    expect(await ask('DELETE', `/accounts(${ID})`, { headers: { 'if-match': 'W/"2"' } })).toMatchObject({ status: 412 });
    expect(await ask('DELETE', `/accounts(${ID})`, { headers: { 'if-match': '*' } })).toMatchObject({ status: 204 });
    expect(await ask('DELETE', `/accounts(${ID})`)).toMatchObject({ status: 404, json: { error: { code: '0x80040217' } } });
  });
  test('is changed by PATCH and shown with 200 when the representation is wanted', async () => {
    const { status, json } = await ask('PATCH', `/accounts(${ID})?$select=name`, {
      headers: { ...RETURN, 'if-none-match': 'null' },
      body: { name: 'B' },
    });
    expect([status, json?.name]).toEqual([200, 'B']);
  });
  test('is not created twice with If-None-Match: *', async () => {
    const headers = { 'if-none-match': '*' };
    expect(await ask('PATCH', `/accounts(${ID})`, { headers, body: {} })).toMatchObject({ status: 412 });
    expect(await ask('PATCH', `/accounts(accountnumber='A''1')`, { headers, body: {} })).toMatchObject({ status: 412 });
  });
  test('keeps the key of its path', async () => {
    expect(await ask('PATCH', `/accounts(${ID})`, { body: { accountid: CONTACT } })).toMatchObject({ status: 400 });
  });
});

describe('upsert', () => {
  test('creates a missing row, unless If-Match asks for an existing one', async () => {
    expect(await ask('PATCH', `/accounts(${ID})`, { headers: { 'if-match': '*' }, body: { name: 'A' } })).toMatchObject({ status: 404 });
    const { status, json } = await ask('PATCH', `/accounts(${ID})?$select=name`, { headers: RETURN, body: { name: 'A' } });
    expect([status, json?.accountid]).toEqual([201, ID]);
  });
  test('by alternate key creates with the key columns and answers with the guid, then updates', async () => {
    const created = await ask('PUT', "/accounts(accountnumber='Z9')", { headers: RETURN, body: { name: 'A' } });
    expect([created.status, created.json?.accountnumber]).toEqual([201, 'Z9']);
    const updated = await ask('PATCH', "/accounts(accountnumber='Z9')", { body: { name: 'B' } });
    expect(updated).toMatchObject({ status: 204, headers: { 'odata-entityid': created.headers['odata-entityid'] } });
    expect(lastRequest()?.messageName).toBe('Update');
  });
});

describe('a query', () => {
  const names = ['A', 'B', 'C', 'D', 'E'];
  beforeEach(async () => {
    for (const name of names) await ask('POST', '/accounts', { body: { name, creditlimit: 1 } });
  });
  test('reads its options encoded or not, with + as a blank', async () => {
    const { status, json } = await ask('GET', '/accounts?%24select=name&$filter=name+eq+%27B%27&$orderby=name%20desc&$count=true');
    expect(status).toBe(200);
    expect(json).toMatchObject({ '@odata.context': `${ORIGIN}${ROOT}/$metadata#accounts(name)`, '@odata.count': 1, value: [{ name: 'B' }] });
    expect(lastRequest()?.inputParameters['Query']).toMatchObject({
      filter: { kind: 'compare', column: 'name', operator: 'eq', value: 'B' },
      orderBy: [{ column: 'name', descending: true }],
      count: true,
    });
  });
  test('counts as plain text', async () => {
    const answer = await ask('GET', "/accounts/$count?$filter=name eq 'A'");
    expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([200, '1', 'text/plain']);
  });
  test.for([
    ['', names],
    ['&$top=3', names.slice(0, 3)],
    ['&$top=4', names.slice(0, 4)],
  ] as const)('is followed page by page through links that hold no percent sign%s', async ([top, expected]) => {
    const seen: string[] = [];
    let path: string | undefined = `/accounts?$select=name&$filter=creditlimit eq 1&$count=true${top}`;
    for (let page = 0; page < 5 && path !== undefined; page++) {
      const { status, json } = await ask('GET', path, { headers: { prefer: 'odata.maxpagesize=2' } });
      expect(status).toBe(200);
      seen.push(...json.value.map(({ name }: { name: string }) => name));
      const link: string | undefined = json['@odata.nextLink'];
      expect(link ?? '').not.toContain('%');
      expect(link ?? ORIGIN + ROOT).toSatisfy((text: string) => text.startsWith(`${ORIGIN}${ROOT}`));
      // Some clients append a slash to the link.
      path = link === undefined ? undefined : `${link.slice(`${ORIGIN}${ROOT}`.length)}/`;
    }
    expect(seen).toEqual(expected);
    expect(path).toBeUndefined();
  });
  test('of no rows still counts', async () => {
    const { json } = await ask('GET', '/accounts?$top=0&$count=true');
    expect([json?.['@odata.count'], json?.value]).toEqual([5, []]);
  });
  test.for([
    ['/accounts?$select=Name', '0x0', "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.account'."],
    ['/accounts?$filter=Name eq 1', '0x0', "Could not find a property named 'Name' on type 'Microsoft.Dynamics.CRM.account'."],
    ['/accounts?$orderby=nope', '0x0', "Could not find a property named 'nope' on type 'Microsoft.Dynamics.CRM.account'."],
    ['/accounts?$top=5001', '0x80040203', 'A page holds at most 5000 rows; $top asked for 5001.'],
    ['/accounts?$skiptoken=abc', '0x80040203', 'The $skiptoken is not one of a next link; start the query again.'],
    ['/accounts?$skip=1', '0x80040203', "The query option '$skip' is not supported."],
    ['/accounts?$filter=%', '0x80040203', 'The query string has a percent sign that is not followed by a valid encoding.'],
  ] as const)('refuses %s', async ([path, code, message]) => {
    expect(await ask('GET', path)).toMatchObject({ status: 400, json: { error: { code, message } } });
  });
});

describe('other resources', () => {
  test.for(['/WhoAmI', '/WhoAmI()', '/WhoAmI?', '//WhoAmI/'])('%s says who the caller is', async (path) => {
    expect(await ask('GET', path)).toMatchObject({
      status: 200,
      json: { UserId: userIds.user, BusinessUnitId: expect.any(String), OrganizationId: expect.any(String) },
    });
  });
  test('EntityDefinitions name the set of a table', async () => {
    expect(await ask('GET', "/EntityDefinitions(LogicalName='account')?$select=EntitySetName")).toMatchObject({
      status: 200,
      json: { EntitySetName: 'accounts' },
    });
    expect(await ask('GET', "/EntityDefinitions(LogicalName='nope')?$select=EntitySetName")).toMatchObject({ status: 404 });
    const { json } = await ask('GET', "/EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=LogicalName eq 'account'");
    expect(json?.value).toEqual([{ LogicalName: 'account', EntitySetName: 'accounts', PrimaryIdAttribute: 'accountid' }]);
  });
  test('an unknown set is a segment that was not found', async () => {
    expect(await ask('GET', '/Account')).toMatchObject({
      status: 404,
      json: { error: { code: '0x8006088a', message: "Resource not found for the segment 'Account'." } },
    });
  });
  test('a wrong verb is a request URI that was not found', async () => {
    expect(await ask('POST', '/WhoAmI')).toMatchObject({ status: 404, json: { error: { code: '' } } });
    expect(await ask('DELETE', '/accounts')).toMatchObject({ status: 404 });
  });
  test('what is not built yet says so', async () => {
    expect(await ask('POST', '/$batch')).toMatchObject({ status: 501, json: { error: { code: '0x80040219' } } });
    expect(await ask('GET', '/accounts?$expand=primarycontactid')).toMatchObject({ status: 501 });
  });
  test('a name in the form of a resource of the API that is none is a segment that was not found', async () => {
    expect(await ask('GET', '/$count')).toMatchObject({ status: 404, json: { error: { code: '0x8006088a' } } });
    expect(await ask('GET', '/accounts/$count$count')).toMatchObject({ status: 404 });
  });
  test('the tag of the query travels with the message', async () => {
    await ask('GET', `/accounts(${ID})?tag=import-7`);
    expect(lastRequest()?.tag).toBe('import-7');
  });
});

describe('a fault', () => {
  const rejection = () =>
    fault(400, '0x80040265', 'Credit limit exceeded.', {
      details: { operationStatus: 1, subErrorCode: 12_345, traceText: 'traced', innerErrorMessage: 'Credit limit exceeded.' },
    });
  test('is plain without annotations', async () => {
    fixture.records.nextFault = rejection();
    const { status, json } = await ask('POST', '/accounts', { body: {} });
    expect(status).toBe(400);
    expect(json).toEqual({ error: { code: '0x80040265', message: 'Credit limit exceeded.' } });
  });
  test('shows every annotation as text when asked', async () => {
    fixture.records.nextFault = rejection();
    const { headers, json } = await ask('POST', '/accounts', {
      headers: { prefer: 'return=representation,odata.include-annotations="*"' },
      body: {},
    });
    expect(json.error).toEqual({
      code: '0x80040265',
      message: 'Credit limit exceeded.',
      '@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus': '1',
      '@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode': '12345',
      '@Microsoft.PowerApps.CDS.HelpLink':
        'http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a80040265&client=platform',
      '@Microsoft.PowerApps.CDS.TraceText': 'traced',
      '@Microsoft.PowerApps.CDS.InnerError.Message': 'Credit limit exceeded.',
      '@Airlock.TraceId': headers['x-airlock-trace-id'],
      '@Airlock.Reference': 'abcdef01',
      '@Airlock.Retriable': 'false',
    });
  });
  test('shows only the annotations of the list', async () => {
    fixture.records.nextFault = rejection();
    const { json } = await ask('POST', '/accounts', {
      headers: { prefer: 'odata.include-annotations="Microsoft.PowerApps.CDS.ErrorDetails*"' },
      body: {},
    });
    expect(Object.keys(json.error)).toEqual([
      'code',
      'message',
      '@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus',
      '@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode',
    ]);
  });
  test('that is retriable says when', async () => {
    fixture.records.nextFault = fault(503, '0x8004418e', 'no worker', { retriable: true });
    expect(await ask('POST', '/accounts', { body: {} })).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
  });
  test.for([200, 204, 304, 0, 999])('never leaves with the status %s', async (httpStatus) => {
    fixture.records.nextFault = fault(httpStatus, '0x80040265', 'x');
    expect(await ask('POST', '/accounts', { body: {} })).toMatchObject({ status: 400 });
  });
  test('nobody foresaw keeps its words to the log', async () => {
    await fixture.server.close();
    fixture = createServerFixture({ executeMessage: () => Promise.reject(new Error('password=hunter2')) });
    const { status, headers, json } = await ask('POST', '/accounts', { body: {} });
    expect([status, json.error.code]).toEqual([500, '0x80040216']);
    expect(json.error.message).toBe(`An unexpected error occurred. Reference: ${String(headers['x-airlock-trace-id']).slice(0, 8)}.`);
  });
});
