import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHalfOpenProxy } from '../../../../test/support/half-open-proxy.ts';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { ConnectionLostError } from './connection.ts';
import { OperationConnections } from './operation-connections.ts';

const database = useDatabase();
const limits = { connections: 3, waiting: 1, waitMs: 200 };
let connections: OperationConnections;

const openConnections = (url = database.url) =>
  new OperationConnections({ url, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000, idleInTransactionTimeoutMs: 30_000 }, limits);

beforeAll(async () => {
  connections = openConnections();
  await using admission = await connections.admit();
  const transaction = admission.begin();
  await transaction.query(sql`create table item (id integer primary key, at timestamptz(3) not null default now(), amount numeric, tags integer[])`);
  await transaction.commit();
});
afterAll(() => connections[Symbol.asyncDispose]());

const ids = async (): Promise<readonly unknown[]> => {
  await using admission = await connections.admit();
  return (await admission.queryable.query(sql`select id from item order by id`)).map((row) => row['id']);
};

const asleep = async () => {
  await using admission = await connections.admit();
  return await admission.queryable.query(sql`select 1 from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`);
};

test('values come back as the pipeline wants them', async () => {
  await using admission = await connections.admit();
  const transaction = admission.begin();
  const [row] = await transaction.query(
    sql`insert into item (id, at, amount, tags) values (1, '2026-01-31 12:00:00.12+01', 12.5, ${sql.param([1, 2])}) returning *`,
  );
  await transaction.rollBack();
  expect(row).toEqual({ id: 1, at: '2026-01-31T11:00:00.120Z', amount: 12.5, tags: [1, 2] });
});

test('a failed statement in a savepoint leaves the transaction usable', async () => {
  await using admission = await connections.admit();
  const transaction = admission.begin();
  await transaction.query(sql`insert into item (id) values (10)`);
  const savepoint = transaction.savepoint();
  await expect(transaction.query(sql`insert into item (id) values (10)`)).rejects.toMatchObject({ code: '23505' });
  await savepoint.rollBack();
  await transaction.query(sql`insert into item (id) values (11)`);
  await transaction.commit();
  expect(await ids()).toEqual([10, 11]);
});

test('a last statement that fails commits nothing', async () => {
  await using admission = await connections.admit();
  const transaction = admission.begin();
  await transaction.query(sql`insert into item (id) values (20)`);
  await expect(transaction.lastStatement(admission.queryable).query(sql`insert into item (id) values (10)`)).rejects.toMatchObject({ code: '23505' });
  expect(transaction.ended).toBe(true);
  expect(await ids()).not.toContain(20);
});

test('a write outside of a transaction is refused by the server', async () => {
  await using admission = await connections.admit();
  await expect(admission.queryable.query(sql`insert into item (id) values (30)`)).rejects.toMatchObject({ code: '25006' });
});

test('a transaction whose session was ended commits nothing, and the connection serves the next one', async () => {
  await using admission = await connections.admit();
  await using other = await connections.admit();
  const transaction = admission.begin();
  await transaction.query(sql`insert into item (id) values (40)`);
  const [row] = await transaction.query(sql`select pg_backend_pid() as pid`);
  await other.queryable.query(sql`select pg_terminate_backend(${row?.['pid']}::integer)`);
  await expect(transaction.query(sql`insert into item (id) values (41)`)).rejects.toThrow();
  await expect(transaction.commit()).rejects.toBeInstanceOf(ConnectionLostError);
  await transaction.rollBack();
  const next = admission.begin();
  await next.query(sql`insert into item (id) values (42)`);
  await next.commit();
  expect(await ids().then((all) => all.filter((id) => Number(id) >= 40))).toEqual([42]);
});

test('a session that ends while it idles in a transaction is noticed by the commit', async () => {
  await using admission = await connections.admit();
  await using other = await connections.admit();
  const transaction = admission.begin();
  const [row] = await transaction.query(sql`select pg_backend_pid() as pid`);
  await transaction.query(sql`insert into item (id) values (50)`);
  await other.queryable.query(sql`select pg_terminate_backend(${row?.['pid']}::integer)`);
  await expect(transaction.commit()).rejects.toThrow();
  expect(await ids()).not.toContain(50);
});

test('a commit whose answer is lost does not claim that nothing was changed', async () => {
  const target = new URL(database.url);
  await using proxy = await startHalfOpenProxy({ host: target.hostname, port: Number(target.port) });
  target.port = String(proxy.port);
  await using far = openConnections(target.href);
  await using admission = await far.admit();
  await connections.admit().then(async (near) => {
    const setUp = near.begin();
    await setUp.query(sql`create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(0.5); return null; end'`);
    await setUp.query(
      sql`create constraint trigger linger after insert on item deferrable initially deferred for each row when (new.id = 60) execute function linger()`,
    );
    await setUp.commit();
    await near[Symbol.asyncDispose]();
  });
  const transaction = admission.begin();
  await transaction.query(sql`insert into item (id) values (60)`);
  const committing = transaction.commit();
  await expect.poll(async () => (await asleep()).length).toBe(1);
  proxy.cut();
  await expect(committing).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  await expect.poll(ids).toContain(60);
});

test('one more operation than may run and wait is refused at once, and a waiting one after its time', async () => {
  await using tight = openConnections();
  const held = [await tight.admit(), await tight.admit(), await tight.admit()];
  const waiting = tight.admit();
  await expect(tight.admit()).rejects.toMatchObject({ code: 'OVERLOADED' });
  await expect(waiting).rejects.toMatchObject({ code: 'OVERLOADED' });
  const next = tight.admit();
  await held[0]?.[Symbol.asyncDispose]();
  await (await next)[Symbol.asyncDispose]();
  for (const admission of held) await admission[Symbol.asyncDispose]();
});
