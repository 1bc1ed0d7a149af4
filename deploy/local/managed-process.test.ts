import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { keepRunning } from './keep-running.ts';
import { startProcess } from './managed-process.ts';

const forEver = (first: string) => ['-e', `console.log(${JSON.stringify(first)}); setInterval(() => {}, 1000);`];
const start = (name: string, args: readonly string[]) => startProcess({ name, command: process.execPath, args, env: { PATH: process.env['PATH'] } });

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a line is found whether it was written before or after the question', async () => {
  const child = start('speaker', forEver('hello'));
  const pick = (line: string) => (line === 'hello' ? line.length : undefined);
  const options = { withinMs: 20_000, what: 'hello' };
  expect(await child.waitForLine(pick, options)).toBe(5);
  expect(await child.waitForLine(pick, options)).toBe(5);
  await child.stop();
});

test('the end of a process that was waited for is told with what it wrote', async () => {
  const child = start('failing', ['-e', "console.error('the reason'); process.exit(3)"]);
  const waiting = child.waitForLine(() => undefined, { withinMs: 20_000, what: 'anything' });
  await expect(waiting).rejects.toThrow(/ended before anything came from failing\nthe reason/);
});

test('a command that does not exist is told by name', async () => {
  const child = startProcess({ name: 'nobody', command: 'airlock-no-such-command', args: [], env: {} });
  await expect(child.waitForLine(() => undefined, { withinMs: 20_000, what: 'anything' })).rejects.toThrow(/nobody/);
});

test('what a killed process started ends too', async () => {
  const module = new URL('./managed-process.ts', import.meta.url).href;
  const script = `
    const { startProcess } = await import(${JSON.stringify(module)});
    const child = startProcess({ name: 'orphan', command: process.execPath, args: ['-e', 'console.log(1); setInterval(() => {}, 1000)'], env: {} });
    await child.waitForLine(() => true, { withinMs: 20000, what: 'a line' });
    console.log(child.pid);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [chunk] = await once(parent.stdout, 'data');
  const pid = Number(String(chunk));
  expect(alive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => alive(pid), { timeout: 20_000 }).toBe(false);
});

test('a service that ends by itself runs again, and one that was stopped does not', async () => {
  const said: string[] = [];
  let restarts = 0;
  const kept = await keepRunning({
    name: 'service',
    start: async () => start('service', forEver('up')),
    say: (text) => said.push(text),
    onRestart: async () => void restarts++,
    onGiveUp: (problem) => said.push(problem),
  });
  const first = kept.current().pid;
  process.kill(first, 'SIGKILL');
  await expect.poll(() => restarts, { timeout: 20_000 }).toBe(1);
  const second = kept.current().pid;
  expect(second).not.toBe(first);
  await kept.stop();
  expect(alive(second)).toBe(false);
  expect(said).toEqual(['service ended by itself (SIGKILL); starting it again']);
});

test('a service that ends at once every time is given up, with its last words', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  await keepRunning({
    name: 'service',
    start: async () => start('service', ['-e', "console.error('no database'); process.exit(1)"]),
    say: () => undefined,
    onRestart: async () => undefined,
    onGiveUp: resolve,
  });
  expect(await promise).toMatch(/service ended 6 times within a minute \(exit code 1\)[\s\S]*no database/);
});
