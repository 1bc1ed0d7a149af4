/** Level 1 of the HTTP contract, with the tolerances and the error shapes that concern it. */
import { expect, test } from 'vitest';
import { createdId, httpClient } from '../support/http.ts';
import { errorOf, traceIdOf, usePluginSystem } from '../support/plugin-system.ts';

const system = usePluginSystem();

const NOBODY = '0198a000-0000-7000-8000-00000000dead';
const root = () => `${system.http.url}/api/data/v9.2/`;

test('create answers 204 with the id of the row, and with return=representation 201 with the row', async () => {
  const made = await system.http.request('POST', 'accounts', { body: { name: 'Plain' } });
  expect([made.status, made.body]).toEqual([204, undefined]);
  expect(made.headers.get('odata-entityid')).toBe(`${root()}accounts(${createdId(made)})`);
  expect(made.headers.get('odata-version')).toBe('4.0');
  const shown = await system.http.request('POST', 'accounts?$select=name', {
    body: { name: 'Shown', telephone1: '1' },
    headers: { prefer: 'return=representation' },
  });
  expect(shown.status).toBe(201);
  expect(shown.headers.get('preference-applied')).toContain('return=representation');
  expect(shown.body).toEqual({
    '@odata.context': `${root()}$metadata#accounts(name)/$entity`,
    '@odata.etag': expect.stringMatching(/^W\/"[0-9a-fA-F]+"$/),
    name: 'Shown',
    accountid: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
});

test('create keeps the primary key of the payload, and refuses one that is taken', async () => {
  const accountid = '0198a000-0000-7000-8000-000000000001';
  const made = await system.http.request('POST', 'accounts', { body: { accountid, name: 'Chosen' } });
  expect(createdId(made)).toBe(accountid);
  const again = await system.http.request('POST', 'accounts', { body: { accountid, name: 'Chosen' } });
  expect([again.status, errorOf(again).message]).toEqual([412, 'A record with matching key values already exists.']);
});

test('retrieve answers the selected columns with etag, context and lookups as _x_value, and 404 in the form that clients parse', async () => {
  const contact = await system.create('contacts', { lastname: 'Doe', firstname: 'Jo', fullname: 'Jo Doe' });
  const id = await system.create('accounts', { name: 'Looked at', 'primarycontactid@odata.bind': `/contacts(${contact})` });
  const answer = await system.http.request('GET', `accounts(${id.toUpperCase()})?$select=name,_primarycontactid_value`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toContain('application/json; odata.metadata=minimal');
  expect(answer.body).toMatchObject({ name: 'Looked at', accountid: id, _primarycontactid_value: contact });
  expect((answer.body as Record<string, string>)['@odata.context']).toMatch(/\$metadata#accounts\(name,.*primarycontactid.*\)\/\$entity$/);
  const missing = await system.http.request('GET', `accounts(${NOBODY})`);
  expect(missing.status).toBe(404);
  expect(missing.body).toEqual({ error: { code: '0x80040217', message: `Account With Id = ${NOBODY} Does Not Exist` } });
});

test('update: 204, with return=representation 200; with If-Match * an update only, without it an upsert', async () => {
  const id = await system.create('accounts', { name: 'Old' });
  expect((await system.http.request('PATCH', `accounts(${id})`, { body: { name: 'New' } })).status).toBe(204);
  const shown = await system.http.request('PATCH', `accounts(${id})?$select=name`, {
    body: { name: 'Newer' },
    headers: { prefer: 'return=representation', 'if-match': '*' },
  });
  expect([shown.status, shown.body]).toEqual([200, expect.objectContaining({ name: 'Newer', accountid: id })]);
  const missing = '0198a000-0000-7000-8000-00000000beef';
  expect((await system.http.request('PATCH', `accounts(${missing})`, { body: { name: 'x' }, headers: { 'if-match': '*' } })).status).toBe(404);
  const upserted = await system.http.request('PATCH', `accounts(${missing})`, { body: { name: 'Upserted' } });
  expect([upserted.status, createdId(upserted)]).toEqual([204, missing]);
  expect(await system.read('accounts', missing, 'name')).toMatchObject({ name: 'Upserted' });
});

test('delete: 204, then 404, with and without If-Match', async () => {
  const id = await system.create('accounts', { name: 'Away' });
  expect((await system.http.request('DELETE', `accounts(${id})`, { headers: { 'if-match': '*' } })).status).toBe(204);
  const again = await system.http.request('DELETE', `accounts(${id})`);
  expect([again.status, errorOf(again).code]).toEqual([404, '0x80040217']);
});

test('queries filter, select, order, cut and count, and paging visits every row once', async () => {
  for (const [name, revenue] of [
    ['Q one', 10],
    ['Q two', 20],
    ['Q three', 30],
    ["Q o'hara", 40],
    ['Q five', 50],
  ] as const)
    await system.create('accounts', { name, revenue, creditonhold: revenue > 20 });
  const names = async (query: string, headers: Record<string, string> = {}) => {
    const answer = await system.http.request('GET', `accounts?${query}`, { headers });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return (answer.body as { value: { name: string }[] }).value.map(({ name }) => name);
  };
  const mine = "startswith(name,'Q ')";
  expect(await names(`$select=name&$filter=${mine}&$orderby=revenue desc&$top=2`)).toEqual(['Q five', "Q o'hara"]);
  expect(await names(`$select=name&$filter=${mine} and (revenue lt 20 or revenue ge 50)&$orderby=revenue`)).toEqual(['Q one', 'Q five']);
  expect(await names(`$filter=name eq 'Q o''hara'`)).toEqual(["Q o'hara"]);
  expect(await names(`$filter=${mine} and creditonhold eq true and not(contains(name,'five'))&$orderby=name`)).toEqual(["Q o'hara", 'Q three']);
  const counted = await system.http.request('GET', `accounts?$select=name&$filter=${mine}&$count=true&$top=1`);
  expect(counted.body).toMatchObject({ '@odata.count': 5, '@odata.context': `${root()}$metadata#accounts(name)` });
  const seen: string[] = [];
  let next: string | undefined = `${root()}accounts?$select=name&$filter=${mine}&$orderby=name`;
  for (let page = 0; next !== undefined && page < 10; page++) {
    const url = new URL(next);
    const answer = await system.http.request('GET', `${url.pathname}${url.search}`, { headers: { prefer: 'odata.maxpagesize=2' } });
    const body = answer.body as { value: { name: string }[]; '@odata.nextLink'?: string };
    seen.push(...body.value.map(({ name }) => name));
    next = body['@odata.nextLink'];
    if (next !== undefined) expect(next.startsWith(root()) && !next.includes('%')).toBe(true);
  }
  expect(seen.toSorted()).toEqual(['Q five', "Q o'hara", 'Q one', 'Q three', 'Q two']);
});

test('a text in a filter is a value, whatever it looks like', async () => {
  const name = `'; drop table data.account; --"\\ % _ ${'é'}`;
  await system.create('accounts', { name });
  const found = await system.http.request('GET', `accounts?$select=name&$filter=${encodeURIComponent(`name eq '${name.replaceAll("'", "''")}'`)}`);
  expect((found.body as { value: unknown[] }).value).toHaveLength(1);
});

test('WhoAmI in its three spellings, and the definitions that clients ask for first', async () => {
  const { client, userId } = await system.account('user');
  for (const path of ['WhoAmI', 'WhoAmI()', 'WhoAmI?']) {
    const { body } = await client.request('GET', path);
    expect(body).toMatchObject({ UserId: userId, BusinessUnitId: expect.any(String), OrganizationId: expect.any(String) });
  }
  const one = await client.request('GET', "EntityDefinitions(LogicalName='account')?$select=EntitySetName");
  expect(one.body).toMatchObject({ EntitySetName: 'accounts' });
  const list = await client.request('GET', "EntityDefinitions?$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=LogicalName eq 'contact'");
  expect((list.body as { value: unknown[] }).value).toEqual([
    expect.objectContaining({ LogicalName: 'contact', EntitySetName: 'contacts', PrimaryIdAttribute: 'contactid' }),
  ]);
  expect((await client.request('GET', "EntityDefinitions(LogicalName='nosuch')?$select=EntitySetName")).status).toBe(404);
});

test('ETags: a stale one is refused with 412, a current one is changed by every write, and a conditional read answers 304', async () => {
  const id = await system.create('accounts', { name: 'Tagged' });
  const etag = String((await system.read('accounts', id, 'name'))['@odata.etag']);
  expect((await system.http.request('GET', `accounts(${id})?$select=name`, { headers: { 'if-none-match': etag } })).status).toBe(304);
  expect((await system.http.request('PATCH', `accounts(${id})`, { body: { fax: '1' }, headers: { 'if-match': etag } })).status).toBe(204);
  const stale = await system.http.request('PATCH', `accounts(${id})`, { body: { fax: '2' }, headers: { 'if-match': etag } });
  expect([stale.status, errorOf(stale).message]).toEqual([412, "The version of the existing record doesn't match the RowVersion property provided."]);
  expect((await system.http.request('DELETE', `accounts(${id})`, { headers: { 'if-match': etag } })).status).toBe(412);
  const create = await system.http.request('PATCH', `accounts(${id})`, { body: { fax: '2' }, headers: { 'if-none-match': '*' } });
  expect([create.status, errorOf(create).message]).toEqual([412, 'A record with matching key values already exists.']);
  expect(await system.read('accounts', id, 'fax')).toMatchObject({ fax: '1' });
});

test('alternate keys name a row, in the path and as an upsert', async () => {
  const made = await system.http.request('PATCH', "accounts(accountnumber='K-1')", { body: { name: 'Keyed' } });
  expect(made.status, JSON.stringify(made.body)).toBe(204);
  const id = createdId(made);
  const found = await system.http.request('GET', 'accounts(accountnumber=%27K-1%27)?$select=name,accountnumber');
  expect(found.body).toMatchObject({ accountid: id, name: 'Keyed', accountnumber: 'K-1' });
  expect((await system.http.request('DELETE', "accounts(accountnumber='K-1')")).status).toBe(204);
});

test('requests as clients really write them', async () => {
  const double = await system.http.request('POST', 'accounts', { body: JSON.stringify(JSON.stringify({ name: 'Said twice' })) });
  expect(double.status, 'T1: JSON in a JSON string').toBe(204);
  const id = createdId(double);
  const plus = await system.http.request('GET', "accounts?%24select=name%2Cfax&$filter=name+eq+'Said+twice'");
  expect((plus.body as { value: unknown[] }).value, 'T3: plus and encoded names').toHaveLength(1);
  const nulls = await system.http.request('PATCH', `accounts(${id})`, { body: { fax: '1' }, headers: { 'if-none-match': 'null' } });
  expect(nulls.status, 'T4: If-None-Match: null').toBe(204);
  const typed = await system.http.request('GET', `accounts(${id})?$select=name`, { headers: { 'content-type': 'application/json' } });
  expect(typed.status, 'T9: a content type without a body').toBe(200);
  const gone = await system.http.request('DELETE', `accounts(${id})`, { headers: { 'content-type': 'application/json' } });
  expect(gone.status, 'T9: on DELETE').toBe(204);
  const annotated = { '@odata.type': 'Microsoft.Dynamics.CRM.account', '@odata.context': 'x', name: 'Annotated' };
  expect((await system.http.request('POST', 'accounts', { body: annotated })).status, 'T13').toBe(204);
  const guid = await system.create('contacts', { lastname: 'T11' });
  const byGuid = await system.http.request('GET', `contacts?$select=lastname&$filter=contactid eq ${guid.toUpperCase()}`);
  expect((byGuid.body as { value: unknown[] }).value, 'T11').toHaveLength(1);
  const prefer = 'odata.include-annotations="a,b",return=representation,respond-async';
  expect((await system.http.request('POST', 'accounts', { body: { name: 'Preferred' }, headers: { prefer } })).status, 'T14').toBe(201);
  expect((await system.http.request('GET', '/api/data/v9.0/WhoAmI')).status, 'any 9.x').toBe(200);
});

test.each([
  ['an unknown set', 'GET', 'nosuchthings', undefined, 404, '0x8006088a', "Resource not found for the segment 'nosuchthings'."],
  [
    'an unknown column in $select',
    'GET',
    'accounts?$select=Name2',
    undefined,
    400,
    '0x0',
    "Could not find a property named 'Name2' on type 'Microsoft.Dynamics.CRM.account'.",
  ],
  [
    'an unknown column in $filter',
    'GET',
    'accounts?$filter=nope eq 1',
    undefined,
    400,
    '0x0',
    "Could not find a property named 'nope' on type 'Microsoft.Dynamics.CRM.account'.",
  ],
  [
    'an unknown column in a payload',
    'POST',
    'accounts',
    { Name: 'x' },
    400,
    '0x0',
    /^An error occurred while validating input parameters: Microsoft\.Crm\.CrmException: Invalid property 'Name' was found in entity 'Microsoft\.Dynamics\.CRM\.account'\. ---> /,
  ],
  [
    'a value that is too long',
    'POST',
    'tasks',
    { subject: 'x'.repeat(201) },
    400,
    '0x80044331',
    "A validation error occurred.  The length of the 'subject' attribute of the 'task' entity exceeded the maximum allowed length of '200'.",
  ],
  [
    'a value of the wrong type',
    'POST',
    'accounts',
    { name: 'x', numberofemployees: 'many' },
    400,
    '0x80048d19',
    /^Error identified in Payload provided by the user for Entity :'accounts'/,
  ],
  ['JSON that is none', 'POST', 'accounts', '{"name":', 400, '0x80048d19', /^Error identified in Payload provided by the user/],
  [
    'an unknown navigation property',
    'POST',
    'contacts',
    { lastname: 'x', 'nope@odata.bind': '/accounts(1)' },
    400,
    '0x80048d19',
    /^Error identified in Payload provided by the user/,
  ],
  ['a filter that is none', 'GET', 'accounts?$filter=name eq', undefined, 400, undefined, /./],
  ['a page that is too large', 'GET', 'accounts?$top=5001', undefined, 400, '0x80040203', /5000/],
] as const)('error contract: %s', async (_what, method, path, body, status, code, message) => {
  const answer = await system.http.request(method, path, body === undefined ? {} : { body });
  const error = errorOf(answer);
  expect(answer.status, error.message).toBe(status);
  expect(Object.keys(error).toSorted()).toEqual(['code', 'message']);
  if (code !== undefined) expect(error.code).toBe(code);
  if (typeof message === 'string') expect(error.message).toBe(message);
  else expect(error.message).toMatch(message);
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(answer.headers.get('odata-version')).toBe('4.0');
  expect(traceIdOf(answer)).toMatch(/^[0-9a-f]{32}$/);
});

test('limits are refused with the limit in the error', async () => {
  const large = await system.http.request('POST', 'accounts', { body: JSON.stringify({ name: 'x', description: 'y'.repeat(1_100_000) }) });
  expect([large.status, errorOf(large).message]).toEqual([413, expect.stringContaining('1048576')]);
  const long = await system.http.request('GET', `accounts?$filter=name eq '${'x'.repeat(9_000)}'`);
  expect([long.status, errorOf(long).message]).toEqual([414, expect.stringContaining('8192')]);
  const deep = await system.http.request('POST', 'accounts', { body: `${'{"a":'.repeat(80)}1${'}'.repeat(80)}` });
  expect([deep.status, errorOf(deep).message]).toEqual([400, expect.stringContaining('64')]);
});

test('a trace that the caller began goes on under its id', async () => {
  const traceId = 'abcdefabcdefabcdefabcdefabcdef12';
  const answer = await system.http.request('GET', 'WhoAmI', { headers: { traceparent: `00-${traceId}-1234567890abcdef-01` } });
  expect(traceIdOf(answer)).toBe(traceId);
});

test('without a key nothing but healthz and readyz answers', async () => {
  const nobody = httpClient(system.http.url, '');
  for (const [method, path] of [
    ['GET', 'WhoAmI'],
    ['GET', 'accounts'],
    ['POST', 'accounts'],
    ['GET', 'nosuchthings'],
    ['GET', '/api/airlock/v1/steps'],
    ['POST', '/api/airlock/v1/bundles'],
    ['GET', '/api/airlock/v1/nosuch'],
    ['GET', '/'],
  ] as const) {
    const answer = await nobody.request(method, path, method === 'POST' ? { body: {} } : {});
    expect([path, answer.status]).toEqual([path, 401]);
    expect(errorOf(answer).code).toBe('0x80048306');
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  }
  expect((await nobody.request('GET', '/healthz')).status).toBe(200);
  expect((await nobody.request('GET', '/readyz')).status).toBe(200);
  expect((await system.http.as(`${system.http.token.slice(0, -1)}x`).request('GET', 'WhoAmI')).status).toBe(401);
});

test('expired, revoked and disabled keys answer no more', async () => {
  const revoked = await system.account('user');
  expect((await revoked.client.request('GET', 'WhoAmI')).status).toBe(200);
  expect((await system.http.request('DELETE', `/api/airlock/v1/keys/${revoked.keyId}`)).status).toBe(204);
  expect((await revoked.client.request('GET', 'WhoAmI')).status).toBe(401);
  const expired = await system.account('user');
  await system.sql`update airlock.apikey set expireson = now() - interval '1 second' where apikeyid = ${expired.keyId}`;
  expect((await expired.client.request('GET', 'WhoAmI')).status).toBe(401);
  const disabled = await system.account('user');
  await system.sql`update airlock.systemuser set isdisabled = true where systemuserid = ${disabled.userId}`;
  expect((await disabled.client.request('GET', 'WhoAmI')).status).toBe(403);
});

test('roles: what a user and an author may not do', async () => {
  const user = await system.account('user');
  const author = await system.account('author');
  const status = async (client: typeof system.http, method: string, path: string, body?: unknown) =>
    (await client.request(method, path, body === undefined ? {} : { body })).status;
  expect(await status(user.client, 'POST', 'accounts', { name: 'By a user' })).toBe(204);
  for (const path of [
    '/api/airlock/v1/steps',
    '/api/airlock/v1/bundles',
    '/api/airlock/v1/plugin-types',
    `/api/airlock/v1/traces/${'a'.repeat(32)}`,
  ]) {
    expect([path, await status(user.client, 'GET', path)]).toEqual([path, 403]);
    expect([path, await status(author.client, 'GET', path)]).toEqual([path, 200]);
  }
  expect(await status(user.client, 'GET', 'plugintracelogs')).toBe(403);
  expect(await status(author.client, 'GET', 'plugintracelogs')).toBe(200);
  for (const [method, path, body] of [
    ['GET', '/api/airlock/v1/settings', undefined],
    ['PATCH', '/api/airlock/v1/settings', { maxDepth: 1 }],
    ['POST', '/api/airlock/v1/users', { fullname: 'x', role: 'operator' }],
    ['POST', '/api/airlock/v1/keys', { systemuserid: user.userId, name: 'x' }],
    ['DELETE', `/api/airlock/v1/keys/${user.keyId}`, undefined],
    ['GET', '/api/airlock/v1/workers', undefined],
    ['PUT', `/api/airlock/v1/steps/${NOBODY}/secure-configuration`, { value: 'x' }],
    ['POST', '/api/airlock/v1/tables', {}],
  ] as const) {
    expect([path, await status(user.client, method, path, body)]).toEqual([path, 403]);
    expect([path, await status(author.client, method, path, body)]).toEqual([path, 403]);
  }
  for (const set of ['systemusers', 'plugintracelogs', 'sdkmessageprocessingsteps']) {
    expect([set, await status(system.http, 'POST', set, {})]).not.toEqual([set, 204]);
  }
  const impersonation = { headers: { MSCRMCallerID: author.userId } };
  expect((await user.client.request('GET', 'WhoAmI', impersonation)).status).toBe(403);
  expect((await system.http.request('GET', 'WhoAmI', impersonation)).body).toMatchObject({ UserId: author.userId });
});
