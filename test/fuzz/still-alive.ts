import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { PluginSystem } from '../support/plugin-system.ts';

/** The processes are those that were started, and they do what they are there for. */
export async function expectAlive(system: PluginSystem): Promise<void> {
  const { airlock, http } = system;
  for (const { pid } of [...airlock.dispatchers.map(({ process }) => process), ...airlock.workers]) expect(() => process.kill(pid, 0)).not.toThrow();
  const answer = await http.request('POST', 'accounts', { body: { name: 'still here' } });
  expect(answer.status, JSON.stringify(answer.body)).toBe(204);
}

export async function residentBytes(pid: number): Promise<number> {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}
