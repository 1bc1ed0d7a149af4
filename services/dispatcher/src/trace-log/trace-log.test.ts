import { randomUUID } from 'node:crypto';
import { type Failure, parseBundleDigest, parseCorrelationId, parseRequestId, parseStepId, parseUserId, type Step } from '@airlock/pipeline';
import { createLogger } from '@airlock/telemetry';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { useDatabase } from '../../../../test/support/postgres.ts';
import { migrate } from '../store/migrate.ts';
import { PlatformDatabase } from '../store/platform-database.ts';
import type { Queryable } from '../store/queryable.ts';
import { cleanUpTraceLog } from './clean-up.ts';
import { type EndedExecution, type TraceLogRow, traceLogRow } from './trace-log-row.ts';
import { TraceLogWriter } from './trace-log-writer.ts';
import { tracesOf } from './traces-of.ts';

const database = useDatabase({ template: { name: 'tracelog', fill: (url) => migrate({ url }) } });
const log = createLogger({ service: 'test', level: 'silent' });
let db: PlatformDatabase;
beforeAll(() => {
  db = new PlatformDatabase({ url: database.url, statementTimeoutMs: 20_000, lockTimeoutMs: 20_000, idleInTransactionTimeoutMs: 20_000 });
});
afterAll(() => db[Symbol.asyncDispose]());
beforeEach(async () => {
  await db.query(sql`truncate airlock.plugintracelog`);
});

const known = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('the fixture is wrong');
  return value;
};
const startMs = Date.UTC(2026, 0, 31, 12);
const step: Step = {
  id: known(parseStepId(randomUUID())),
  name: 'Credit check',
  messageName: 'Create',
  primaryTable: 'account',
  stage: 20,
  mode: 0,
  rank: 1,
  filteringAttributes: [],
  images: [],
  runAs: { kind: 'calling-user' },
  enabled: true,
  unsecureConfiguration: 'open',
  secureConfiguration: 'hidden',
  asyncAutoDelete: false,
  limits: {},
  createdOn: 0,
  plugin: {
    typeName: 'CreditCheck',
    bundleName: 'credit',
    bundleVersion: '1.0.0',
    bundleDigest: known(parseBundleDigest('a'.repeat(64))),
    uploadedAtMs: 0,
    stateless: false,
    isolationMode: 2,
  },
};
const failed: Failure = {
  origin: 'plug-in',
  kind: 'unexpected',
  error: { name: 'TypeError', message: 'no limit', stack: 'TypeError: no limit\n    at check (src/credit.ts:3:1)' },
};
const traceId = 'c'.repeat(32);

function ended(changes: Partial<EndedExecution> = {}): EndedExecution {
  return {
    step,
    context: {
      messageName: 'Create',
      primaryEntityName: 'account',
      primaryEntityId: null,
      depth: 1,
      correlationId: known(parseCorrelationId(randomUUID())),
      requestId: known(parseRequestId(randomUUID())),
      userId: known(parseUserId(randomUUID())),
    },
    startedAtMs: startMs,
    failure: undefined,
    trace: 'one\ntwo',
    traceTruncated: false,
    receipt: { wallMs: 12.6, cpuMs: 3.2, heapBytes: 1_000.5, residentBytes: 2_000, hostCalls: 2, hostCallBytes: 80, start: 'prepared' },
    traceId,
    ...changes,
  };
}
const row = (changes: Partial<EndedExecution> = {}, nowMs = startMs): TraceLogRow => traceLogRow(ended(changes), nowMs);
const stored = async () => Number((await db.query(sql`select count(*) as n from airlock.plugintracelog`))[0]?.['n']);

/** A database that is away until told otherwise. */
function away() {
  const state = { down: true };
  const queryable: Queryable = { query: (statement) => (state.down ? Promise.reject(new Error('connection lost')) : db.query(statement)) };
  return { state, queryable };
}

test('a row of a failure is stored when the call resolves, with its stack, and without the secure configuration', async () => {
  await using writer = new TraceLogWriter(db, log);
  await writer.writeNow([row({ failure: failed, reference: 'abcd1234', errorCode: '0x80040224', workerId: 'w1' })]);
  const [found] = await tracesOf(db, traceId);
  expect(found).toMatchObject({
    typename: 'CreditCheck',
    stepname: 'Credit check',
    messageblock: 'one\ntwo',
    failurekind: 'plug-in/unexpected',
    reference: 'abcd1234',
    performanceexecutionstarttime: '2026-01-31T12:00:00.000Z',
    performanceexecutionduration: 13,
    heapbytes: 1_001,
    bundleversion: '1.0.0',
  });
  expect(found?.['exceptiondetails']).toContain('src/credit.ts:3:1');
  const everything = await db.query(sql`select row_to_json(t)::text as text from airlock.plugintracelog t`);
  expect(JSON.stringify(everything)).not.toContain('hidden');
});

test('statement 40: a row written outside survives the rollback of a transaction that is open meanwhile', async () => {
  await using operation = new PlatformDatabase(db.settings);
  await using writer = new TraceLogWriter(db, log);
  const operationFails = operation.inTransaction(async (tx) => {
    await tx.query(sql`update airlock.organization set name = 'changed'`);
    await writer.writeNow([row({ failure: failed })]);
    throw new Error('rolled back');
  });
  await expect(operationFails).rejects.toThrow('rolled back');
  expect(await tracesOf(db, traceId)).toHaveLength(1);
});

test('statement 62: long text keeps its head and tail, within the limit, and says so', () => {
  const long = row({ trace: `first\n${'x'.repeat(200_000)}\nlast` });
  expect(Buffer.byteLength(long.messageblock)).toBeLessThanOrEqual(64 * 1024);
  expect(long.messageblock).toMatch(/^first\n[^]*bytes cut[^]*\nlast$/);
  expect(long.messageblocktruncated).toBe(true);
});

test('text that Postgres cannot hold is stored with replacements', async () => {
  await using writer = new TraceLogWriter(db, log);
  await writer.writeNow([row({ trace: 'a\u0000b\ud800c' })]);
  expect((await tracesOf(db, traceId))[0]?.['messageblock']).toBe('a\ufffdb\ufffdc');
});

test('rows of successes are written by themselves, in batches', async () => {
  await using writer = new TraceLogWriter(db, log, { lingerMs: 5 });
  for (let index = 0; index < 250; index += 1) writer.writeLater(row());
  await expect.poll(stored).toBe(250);
  expect(writer.waiting).toBe(0);
});

test('closing writes what waits', async () => {
  const writer = new TraceLogWriter(db, log, { lingerMs: 60_000 });
  writer.writeLater(row());
  await writer.close();
  expect(await stored()).toBe(1);
  writer.writeLater(row());
  expect(writer.lost).toBe(1);
});

test('rows wait while the database is away, up to a bound, and what did not fit is counted', async () => {
  const { state, queryable } = away();
  await using writer = new TraceLogWriter(queryable, log, { maxRows: 3, lingerMs: 60_000 });
  await writer.writeNow([row({ failure: failed })]);
  for (let index = 0; index < 5; index += 1) writer.writeLater(row());
  await expect(writer.flush()).rejects.toThrow('connection lost');
  expect([writer.waiting, writer.lost]).toEqual([3, 3]);
  state.down = false;
  await writer.flush();
  expect(await stored()).toBe(3);
});

test('a row that is sent twice is stored once', async () => {
  await using writer = new TraceLogWriter(db, log);
  const one = row();
  await writer.writeNow([one]);
  await writer.writeNow([one]);
  expect(await stored()).toBe(1);
});

test('a row that the database refuses is counted as lost, and its neighbours are stored', async () => {
  await using writer = new TraceLogWriter(db, log);
  await writer.writeNow([row(), { ...row(), correlationid: 'no uuid' }, row()]);
  expect([await stored(), writer.lost]).toEqual([2, 1]);
});

test('a database that does not answer holds up a failed operation for a bounded time only', async () => {
  const pending = Promise.withResolvers<readonly never[]>();
  const writer = new TraceLogWriter({ query: () => pending.promise }, log, { maxWaitMs: 5 });
  await writer.writeNow([row({ failure: failed })]);
  pending.resolve([]);
  await writer.close();
  expect(writer.lost).toBe(0);
});

test('statement 63: rows that are older than the retention go, in batches, the others stay', async () => {
  await using writer = new TraceLogWriter(db, log);
  const day = 86_400_000;
  await writer.writeNow([row({}, startMs - day - 1), row({}, startMs - day - 2), row({}, startMs - day - 3), row({}, startMs - day + 1)]);
  expect(await cleanUpTraceLog(db, startMs, { batchRows: 2, maxBatches: 1 })).toBe(2);
  expect(await cleanUpTraceLog(db, startMs, { batchRows: 2 })).toBe(1);
  expect(await stored()).toBe(1);
});

test('asking for the traces of something that is no trace id finds nothing', async () => {
  expect(await tracesOf(db, "' or 1=1")).toEqual([]);
});
