/** The example bundles do what their READMEs say, all of them registered at once as after `npm start`. */
import { fileURLToPath } from 'node:url';
import { pushBundle } from '@airlock/cli';
import { beforeAll, expect, test } from 'vitest';
import { errorOf, usePluginSystem } from '../support/plugin-system.ts';

const system = usePluginSystem();
const ANNOTATED = { prefer: 'odata.include-annotations="*"' };

beforeAll(async () => {
  for (const name of ['account-defaults', 'contact-validation', 'credit-control', 'follow-up-task', 'unexpected-error']) {
    const bundle = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
    await pushBundle({ url: system.http.url, token: system.http.token, bundle });
  }
}, 60_000);

const post = (set: string, body: object) => system.http.request('POST', set, { body, headers: ANNOTATED });

test('credit-control refuses a limit above the share of the revenue, with message, code and details', async () => {
  const answer = await post('accounts', { name: 'Contoso', revenue: 1_000_000, creditlimit: 500_000 });
  expect(answer.status).toBe(400);
  expect(errorOf(answer)).toMatchObject({
    code: '0x80040265',
    message: 'The credit limit of 500,000 exceeds 20 % of the revenue of 1,000,000: the highest is 200,000.',
    '@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode': '4711',
    '@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus': '1',
    '@Microsoft.PowerApps.CDS.ErrorDetails.column': 'creditlimit',
    '@Microsoft.PowerApps.CDS.ErrorDetails.highestLimit': '200000',
  });
});

test('credit-control asks for a telephone number above 50 000, looks at the pre-image on Update, and sets the hold', async () => {
  expect(errorOf(await post('accounts', { name: 'No phone', revenue: 1_000_000, creditlimit: 100_000 })).message).toContain(
    'needs a telephone number',
  );
  const id = await system.create('accounts', { name: 'Phoned', revenue: 1_000_000, creditlimit: 100_000, telephone1: '+41 44 668 18 00' });
  expect(await system.read('accounts', id, 'creditonhold')).toMatchObject({ creditonhold: false });
  const lowered = await system.http.request('PATCH', `accounts(${id})`, { body: { revenue: 1_000 } });
  expect([lowered.status, errorOf(lowered).code]).toEqual([400, '0x80040265']);
  expect((await system.http.request('PATCH', `accounts(${id})`, { body: { creditlimit: 0 } })).status).toBe(204);
  expect(await system.read('accounts', id, 'creditonhold,revenue')).toMatchObject({ creditonhold: true, revenue: 1_000_000 });
});

test('credit-control refuses a wrong IBAN with its own code and stores a right one without spaces', async () => {
  const wrong = errorOf(await post('accounts', { name: 'Wrong', iban: 'CH00 0000' }));
  expect(wrong['@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode']).toBe('4712');
  const id = await system.create('accounts', { name: 'Right', iban: 'CH93 0076 2011 6238 5295 7' });
  expect(await system.read('accounts', id, 'iban')).toMatchObject({ iban: 'CH9300762011623852957' });
});

test('account-defaults normalises telephone and website, and makes an account number of the name', async () => {
  const id = await system.create('accounts', { name: 'Contoso', telephone1: '044 668 18 00', websiteurl: 'Contoso.com/' });
  expect(await system.read('accounts', id, 'telephone1,websiteurl,accountnumber')).toMatchObject({
    telephone1: '+41 44 668 18 00',
    websiteurl: 'https://contoso.com',
    accountnumber: expect.stringMatching(/^CON-[0-9A-Z]{6}$/),
  });
});

test('contact-validation refuses with all problems at once, and keeps the full name', async () => {
  const refused = await post('contacts', { firstname: 'A', lastname: 'B', emailaddress1: 'not an address' });
  expect(refused.status).toBe(400);
  expect(errorOf(refused).message).toMatch(/^The contact is not valid: .*emailaddress1/);
  const id = await system.create('contacts', { firstname: 'Ada', lastname: 'Byron' });
  expect((await system.http.request('PATCH', `contacts(${id})`, { body: { lastname: 'Lovelace' } })).status).toBe(204);
  expect(await system.read('contacts', id, 'fullname')).toMatchObject({ fullname: 'Ada Lovelace' });
});

test('follow-up-task welcomes a new account, and explains a limit only when it changed', async () => {
  const id = await system.create('accounts', { name: 'Followed', revenue: 1_000_000, creditlimit: 1_000 });
  const subjects = async () =>
    (await system.sql<{ subject: string }[]>`select subject from data.task where regardingobjectid = ${id} order by subject`).map(
      ({ subject }) => subject,
    );
  expect(await subjects()).toEqual(['Welcome Followed']);
  await system.http.request('PATCH', `accounts(${id})`, { body: { creditlimit: 1_000 } });
  expect(await subjects()).toEqual(['Welcome Followed']);
  await system.http.request('PATCH', `accounts(${id})`, { body: { creditlimit: 5_000 } });
  expect(await subjects()).toEqual([expect.stringMatching(/^Credit limit of Followed: 1.?000 → 5.?000$/), 'Welcome Followed']);
});

test('unexpected-error shows the caller a reference, and the author message and lines of the TypeScript', async () => {
  const answer = await post('accounts', { name: 'Break me' });
  expect([answer.status, errorOf(answer).code]).toEqual([500, '0x80040224']);
  expect(errorOf(answer).message).toMatch(/^An unexpected error occurred from ISV code\. Reference: [0-9a-f]{8}\.$/);
  const row = (await system.traces(answer, 1)).find(({ failurekind }) => failurekind !== null);
  expect(row?.exceptiondetails).toMatch(/^TypeError: [^]*src\/price-list\.ts:\d+[^]*src\/quote\.ts:\d+[^]*src\/index\.ts:\d+/);
  expect(await system.sql`select 1 from data.account where name = 'Break me'`).toHaveLength(0);
});
