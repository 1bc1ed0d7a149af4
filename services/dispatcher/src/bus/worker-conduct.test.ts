import { createLogger } from '@airlock/telemetry';
import { expect, test } from 'vitest';
import { Expected, QUARANTINE_MS, WorkerConduct } from './worker-conduct.ts';

const bad = { pool: 'default', workerId: 'bad' };
const good = { pool: 'default', workerId: 'good' };

function conductOf() {
  let now = 0;
  const quarantined: string[] = [];
  const log = createLogger({ service: 'test', level: 'silent' });
  const conduct = new WorkerConduct({ clock: () => now, log, onQuarantine: ({ workerId }) => quarantined.push(workerId) });
  return {
    conduct,
    quarantined,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('a worker that offends again and again is ignored for a while, and only it', () => {
  const { conduct, quarantined, pass } = conductOf();
  for (let count = 0; count < 200; count++) conduct.offend(bad, 'unreadable');
  expect(quarantined).toEqual(['bad']);
  expect([conduct.admits(bad, 'result'), conduct.admits(good, 'result')]).toEqual([false, true]);
  pass(QUARANTINE_MS + 1);
  expect(conduct.admits(bad, 'result')).toBe(true);
  expect(conduct.totals).toEqual({ ignored: 1, quarantines: 1 });
});

test('a few offences now and then are forgotten', () => {
  const { conduct, quarantined, pass } = conductOf();
  for (let minute = 0; minute < 60; minute++) {
    for (let count = 0; count < 150; count++) conduct.offend(bad, 'not entitled');
    pass(60_000);
  }
  expect(quarantined).toEqual([]);
});

test('a worker that went on after its quarantine is ignored again, sooner', () => {
  const { conduct, quarantined, pass } = conductOf();
  for (let count = 0; count < 200; count++) conduct.offend(bad, 'unreadable');
  pass(QUARANTINE_MS + 1);
  for (let count = 0; count < 200; count++) conduct.offend(bad, 'unreadable');
  expect(quarantined).toEqual(['bad', 'bad']);
});

test('hellos beyond what a worker has reason for are dropped unread; results give reason for more', () => {
  const { conduct } = conductOf();
  let admitted = 0;
  for (let count = 0; count < 1_000; count++) if (conduct.admits(bad, 'hello')) admitted += 1;
  expect(admitted).toBe(400);
  let busy = 0;
  for (let count = 0; count < 5_000; count++) {
    conduct.deliver(good);
    if (conduct.admits(good, 'hello')) busy += 1;
  }
  expect(busy).toBe(5_000);
});

test('a flood of hellos alone ends in quarantine', () => {
  const { conduct, quarantined } = conductOf();
  for (let count = 0; count < 5_000; count++) conduct.admits(bad, 'hello');
  expect(quarantined).toEqual(['bad']);
});

test('any number of names costs a bounded amount of memory, and each still has its budget', () => {
  const { conduct, quarantined } = conductOf();
  for (let count = 0; count < 50_000; count++) conduct.offend({ pool: 'elastic', workerId: `w${count}` }, 'unreadable');
  expect(quarantined).toEqual([]);
  expect(conduct.admits(good, 'call')).toBe(true);
});

test('what was on its way when its run ended is expected once, from that worker only', () => {
  const expected = new Expected();
  expected.expect('run', good, 2);
  expect(expected.take('run', bad)).toBe(false);
  expect([expected.take('run', good), expected.take('run', good), expected.take('run', good)]).toEqual([true, true, false]);
  expect(expected.take('another', good)).toBe(false);
});
