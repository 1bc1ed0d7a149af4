import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PushResult, type StepSummary } from '@airlock/protocol';
import { expect, test } from 'vitest';
import { startContractServer } from './testing/contract-server.ts';
import { makeProject, packageJson } from './testing/make-project.ts';
import { airlock, at } from './testing/run-airlock.ts';

const step: StepSummary = {
  id: '0195d3a0-0000-7000-8000-000000000001',
  name: 'credit limit',
  message: 'Update',
  table: null,
  stage: 20,
  mode: 0,
  rank: 1,
  filteringAttributes: [],
  enabled: true,
  bundle: '@test/plugin',
  version: '1.0.0',
  typeName: 'rule',
};

test('build writes the bundle, its map and the manifest, and says their digest', async () => {
  await using project = await makeProject();
  const { code, out } = await airlock(['build', '--json'], { cwd: project.dir });
  expect(code).toBe(0);
  const about = JSON.parse(out) as { digest: string; bytes: number; manifest: unknown };
  expect(Buffer.byteLength(await readFile(join(project.dir, 'dist/bundle.js')))).toBe(about.bytes);
  expect(JSON.parse(await readFile(join(project.dir, 'dist/manifest.json'), 'utf8'))).toEqual(about.manifest);
  expect(about.digest).toMatch(/^[0-9a-f]{64}$/);
});

test('push shows the plan, asks, and applies', async () => {
  await using server = await startContractServer();
  await using project = await makeProject();
  const { code, out, questions } = await airlock(['push'], { cwd: project.dir, env: at(server), answer: true });
  expect(out).toMatch(/^@test\/plugin 1\.0\.0 sha256 [0-9a-f]{12}\n {2}\+ bundle "@test\/plugin"\n1 to create, .*\nApplied\.$/);
  expect(questions).toEqual([`Apply to ${server.url}?`]);
  expect(server.seen).toEqual(['POST /api/airlock/v1/bundles?plan=true', 'POST /api/airlock/v1/bundles']);
  expect(server.uploaded?.sourceMap).toContain('src/index.ts');
  expect(code).toBe(0);
});

test('a second push has nothing to change and changes nothing', async () => {
  await using server = await startContractServer();
  await using project = await makeProject();
  await airlock(['push', '--yes'], { cwd: project.dir, env: at(server) });
  server.seen.length = 0;
  const { code, out } = await airlock(['push', '--yes'], { cwd: project.dir, env: at(server) });
  expect(out).toContain('Nothing to change.');
  expect(server.seen).toEqual(['POST /api/airlock/v1/bundles?plan=true']);
  expect(code).toBe(0);
});

test('an update shows each field that differs', async () => {
  await using server = await startContractServer();
  await using project = await makeProject();
  await airlock(['push', '--yes'], { cwd: project.dir, env: at(server) });
  await project.write({ 'package.json': packageJson({ version: '1.1.0' }) });
  const { out } = await airlock(['push', '--plan'], { cwd: project.dir, env: at(server) });
  expect(out).toContain('  ~ bundle "@test/plugin"\n      version  "1.0.0" → "1.1.0"');
});

test('who says no has changed nothing', async () => {
  await using server = await startContractServer();
  await using project = await makeProject();
  const { code, out } = await airlock(['push'], { cwd: project.dir, env: at(server), answer: false });
  expect(out).toContain('Nothing was changed.');
  expect(server.seen).toHaveLength(1);
  expect(code).toBe(0);
});

test.for([{ args: ['push'] }, { args: ['push', '--json'] }])('without a person $args needs --yes or --plan', async ({ args }) => {
  await using server = await startContractServer();
  await using project = await makeProject();
  const { code, out, notes } = await airlock(args, { cwd: project.dir, env: at(server) });
  expect(code).toBe(2);
  expect(out + notes).toContain('--yes');
  expect(server.seen).toEqual([]);
});

test('push --json prints what the server answered', async () => {
  await using server = await startContractServer();
  await using project = await makeProject();
  const planned = await airlock(['push', '--json', '--plan'], { cwd: project.dir, env: at(server) });
  const applied = await airlock(['push', '--json', '--yes'], { cwd: project.dir, env: at(server) });
  expect(PushResult.parse(JSON.parse(planned.out)).applied).toBe(false);
  expect(PushResult.parse(JSON.parse(applied.out)).applied).toBe(true);
});

test('a refusal shows code, text and trace of the server, and ends with 1', async () => {
  await using server = await startContractServer();
  await using project = await makeProject();
  await airlock(['push', '--yes'], { cwd: project.dir, env: at(server) });
  await project.write({ 'src/index.ts': 'export const rule = { execute() {} };' });
  const { code, notes } = await airlock(['push', '--yes'], { cwd: project.dir, env: at(server) });
  expect(notes).toBe(
    `error 0x8004417b: Version 1.0.0 of the bundle "@test/plugin" exists with other content; raise the version.\ntrace ${'a'.repeat(32)}`,
  );
  expect(code).toBe(1);
});

test('a wrong token is the server’s to refuse, and is never printed', async () => {
  await using server = await startContractServer();
  await using project = await makeProject();
  const { code, out } = await airlock(['push', '--yes', '--json', '--token', 'wrong-secret'], { cwd: project.dir, env: at(server) });
  expect(JSON.parse(out)).toMatchObject({ error: { code: '0x80048306', status: 401 } });
  expect(out).not.toContain('wrong-secret');
  expect(code).toBe(1);
});

test('a project that does not build is reported with its place before any server is asked', async () => {
  await using server = await startContractServer();
  await using project = await makeProject({ 'src/index.ts': "import 'node:fs';" });
  const { code, out } = await airlock(['push', '--yes', '--json'], { cwd: project.dir, env: at(server) });
  expect(JSON.parse(out)).toMatchObject({ error: { code: 'BUILD', problems: [{ file: 'src/index.ts', line: 1 }] } });
  expect(server.seen).toEqual([]);
  expect(code).toBe(1);
});

test('a server that never answers is given up at the deadline', async () => {
  await using server = await startContractServer();
  server.interfere = () => true;
  const { code, notes } = await airlock(['steps', 'list', '--timeout', '0.2'], { env: at(server) });
  expect(notes).toContain(`${server.url} gave no answer within 200 ms`);
  expect(code).toBe(1);
});

test('the token does not follow a redirect', async () => {
  await using server = await startContractServer();
  await using other = await startContractServer();
  server.interfere = (_, response) => {
    response.writeHead(302, { location: other.url }).end();
    return true;
  };
  expect((await airlock(['steps', 'list'], { env: at(server) })).code).toBe(1);
  expect(other.seen).toEqual([]);
});

test('an answer that is not of the API is an error, and what it writes cannot steer a terminal', async () => {
  await using server = await startContractServer();
  server.interfere = (_, response) => {
    response.writeHead(500).end(JSON.stringify({ error: { code: '0x1', message: 'red \u001b[31m alert' } }));
    return true;
  };
  expect((await airlock(['steps', 'list'], { env: at(server) })).notes).toBe('error 0x1: red \ufffd[31m alert');
  server.interfere = (_, response) => {
    response.writeHead(200).end('<html>');
    return true;
  };
  expect((await airlock(['steps', 'list'], { env: at(server) })).notes).toContain('is not as the API describes it');
});

test('nothing at the address is an error that names the address', async () => {
  const server = await startContractServer();
  await server[Symbol.asyncDispose]();
  const { code, notes } = await airlock(['steps', 'list'], { env: at(server) });
  expect(notes).toContain(`Nothing answers at ${server.url}.`);
  expect(code).toBe(1);
});

test('a development system is found from below its folder', async () => {
  await using server = await startContractServer();
  await using project = await makeProject();
  await project.write({ '.airlock/dev.json': JSON.stringify({ url: server.url, token: server.token, pids: [] }) });
  expect((await airlock(['steps', 'list'], { cwd: join(project.dir, 'src') })).out).toBe('There are no steps.');
});

test('a token of the environment is never sent to the address in a file', async () => {
  await using server = await startContractServer();
  await using project = await makeProject();
  await project.write({ '.airlock/dev.json': JSON.stringify({ url: server.url, token: 'x' }) });
  const { code, notes } = await airlock(['steps', 'list'], { cwd: project.dir, env: { AIRLOCK_TOKEN: 'secret' } });
  expect(code).toBe(2);
  expect(notes).toContain('Which server?');
  expect(server.seen).toEqual([]);
});

test('a step is disabled and enabled by name or id, and said to be so already', async () => {
  await using server = await startContractServer();
  server.steps.push(step);
  const env = at(server);
  expect((await airlock(['steps', 'disable', 'credit limit'], { env })).out).toBe('credit limit is now disabled.');
  expect(server.steps[0]?.enabled).toBe(false);
  expect((await airlock(['steps', 'disable', step.id], { env })).out).toBe('credit limit was already disabled.');
  const { out } = await airlock(['steps', 'enable', step.id, '--json'], { env });
  expect(JSON.parse(out)).toMatchObject({ id: step.id, enabled: true, changed: true });
});

test('the list of steps lines up and names what an id is needed for', async () => {
  await using server = await startContractServer();
  server.steps.push(step, { ...step, id: '2', name: 'x', table: 'account', enabled: false });
  const { out } = await airlock(['steps', 'list'], { env: at(server) });
  const [head, first, second] = out.split('\n');
  expect(first).toMatch(/^on {3}Update {3}\(any\) {4}PreOperation {2}1 {5}credit limit {2}@test\/plugin 1\.0\.0 {2}0195d3a0/);
  expect(second?.indexOf('account')).toBe(head?.indexOf('table'));
});

test('a name that no step or more than one has is refused', async () => {
  await using server = await startContractServer();
  server.steps.push(step, { ...step, id: '2' });
  const env = at(server);
  expect((await airlock(['steps', 'disable', 'other'], { env })).notes).toContain('There is no step');
  expect((await airlock(['steps', 'disable', 'credit limit'], { env })).notes).toContain(`use an id (${step.id}, 2)`);
});

test('a trace shows what was written and where it failed', async () => {
  await using server = await startContractServer();
  const { out } = await airlock(['traces', 'show', 'b'.repeat(32)], { env: at(server) });
  expect(out).toContain('creditLimitRule  Update of account, depth 1');
  expect(out).toContain('  credit limit 5\n  revenue 6\n  TypeError: x\n      at currencyOf (src/price-list.ts:10:15)');
  expect(server.seen).toEqual([`GET /api/airlock/v1/traces/${'b'.repeat(32)}`]);
});

test.for([
  ['nothing'],
  ['an unknown command', 'fly'],
  ['an unknown option', 'push', '--fast'],
  ['two projects', 'build', 'a', 'b'],
  ['a step without a name', 'steps', 'enable'],
  ['an unknown verb', 'steps', 'remove', 'x'],
  ['a trace id that is none', 'traces', 'show', '../steps'],
  ['a timeout that is no number', 'steps', 'list', '--timeout', 'soon'],
  ['no server', 'steps', 'list'],
  ['a bundle without a name', 'bundles', 'remove'],
  ['a removal that nobody confirms', 'bundles', 'remove', 'x', '--url', 'http://127.0.0.1:1', '--token', 'x'],
  ['a user without a role', 'users', 'create', 'A'],
  ['a role that there is not', 'users', 'create', 'A', '--role', 'king'],
  ['a key without a name', 'keys', 'create', 'id'],
  ['days that are no number', 'keys', 'create', 'id', '--name', 'n', '--days', 'few'],
  ['a key to be forgotten', 'keys', 'forget', 'id'],
  ['a signing key without a name', 'signing-keys', 'add', 'x.pub'],
  ['a signing key without a file', 'signing-keys', 'add'],
  ['an address that is none', 'steps', 'list', '--url', 'localhost:1', '--token', 'x'],
] as const)('%s is a mistake in the command line: 2', async ([, ...args]) => {
  const { code, notes } = await airlock(args);
  expect(notes).not.toBe('');
  expect(code).toBe(2);
});

test('help and version are results', async () => {
  expect((await airlock(['--help'])).out).toContain('airlock <command>');
  expect((await airlock(['--version'])).out).toMatch(/^\d+\.\d+\.\d+$/);
});
