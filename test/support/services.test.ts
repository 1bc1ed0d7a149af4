import { expect, test } from 'vitest';
import { createdId } from './http.ts';
import { startAirlock } from './services.ts';

test('a system of its own defines a table, takes a record, and ends without leaving a process', async () => {
  const airlock = await startAirlock();
  const pids = [...airlock.dispatchers.map(({ process: { pid } }) => pid), ...airlock.workers.map(({ pid }) => pid)];
  try {
    const { http } = airlock;
    const anonymous = await http.as('').request('GET', 'WhoAmI');
    expect(anonymous.status).toBe(401);
    const definition = {
      logicalName: 'gadget',
      displayName: 'Gadget',
      displayCollectionName: 'Gadgets',
      entitySetName: 'gadgets',
      primaryNameAttribute: 'name',
      columns: [{ logicalName: 'name', displayName: 'Name', type: 'string', maxLength: 100 }],
    };
    const defined = await http.request('POST', '/api/airlock/v1/tables', { body: definition });
    expect(defined.status, airlock.logs()).toBe(201);
    const id = createdId(await http.request('POST', 'gadgets', { body: { name: 'Lever' } }));
    expect((await http.request('GET', `gadgets(${id})?$select=name`)).body).toMatchObject({ name: 'Lever' });
  } finally {
    await airlock[Symbol.asyncDispose]();
  }
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
}, 60_000);
