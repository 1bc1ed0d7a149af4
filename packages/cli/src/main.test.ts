import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Starts the command line as a process of its own, with no terminal and nothing in its environment. */
function start(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env: {}, cwd: '/', timeout: 20_000 }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

test('results go to standard output and end with 0', async () => {
  expect(await start('--version')).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
});

test('mistakes go to standard error and end with 2', async () => {
  const { code, stdout, stderr } = await start('fly');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('There is no command "fly"');
});

test('where nobody can be asked, a push is refused and not left waiting', async () => {
  const { code, stderr } = await start('push');
  expect(code).toBe(2);
  expect(stderr).toContain('--yes');
});
