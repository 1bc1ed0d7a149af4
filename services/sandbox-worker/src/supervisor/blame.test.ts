import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBlame, defaultBlamePolicy } from './blame.ts';

function setUp() {
  const clock = { ms: 0 };
  const blame = createBlame({ nowMs: () => clock.ms, wallMs: () => 1_750_000_000_000 + clock.ms });
  const kill = (times: number, digest = 'bad', organization = 'org-1') => {
    for (let time = 0; time < times; time += 1) blame.killed(organization, digest, 'crash');
  };
  return { clock, blame, kill };
}

test('a bundle that killed four sandbox processes still runs, with the fifth it waits', () => {
  const { blame, kill } = setUp();
  kill(4);
  expect(blame.throttled('org-1', 'bad')).toBeUndefined();
  kill(1);
  expect(blame.throttled('org-1', 'bad')).toContain('5 sandbox processes of one worker within 60 s (5 × crash)');
});

test('the text says until when, and how to lift it', () => {
  const { blame, kill } = setUp();
  kill(5);
  expect(blame.throttled('org-1', 'bad')).toContain('2025-06-15T15:06:50.000Z');
  expect(blame.throttled('org-1', 'bad')).toContain('push a fixed version, or disable the step; or wait');
});

test('other bundles, and the same bundle of another organization, are not concerned', () => {
  const { blame, kill } = setUp();
  kill(50);
  expect(blame.throttled('org-1', 'good')).toBeUndefined();
  expect(blame.throttled('org-2', 'bad')).toBeUndefined();
  expect(blame.refused()).toBe(0);
});

test('kills that are far apart never throttle', () => {
  const { blame, clock, kill } = setUp();
  for (let time = 0; time < 20; time += 1) {
    kill(1);
    clock.ms += 15_001;
  }
  expect(blame.throttled('org-1', 'bad')).toBeUndefined();
});

test('one kill after the pause is enough for the next, which is twice as long and never longer than ten minutes', () => {
  const { blame, clock, kill } = setUp();
  kill(5);
  for (let pause = 0; pause < 12; pause += 1) {
    const lengthMs = Math.min(600_000, 10_000 * 2 ** pause);
    clock.ms += lengthMs - 1;
    expect(blame.throttled('org-1', 'bad')).toBeDefined();
    clock.ms += 1;
    expect(blame.throttled('org-1', 'bad')).toBeUndefined();
    kill(1);
  }
});

test('ten quiet minutes and it starts anew', () => {
  const { blame, clock, kill } = setUp();
  kill(5);
  clock.ms += 10_000 + defaultBlamePolicy.forgetMs;
  kill(4);
  expect(blame.throttled('org-1', 'bad')).toBeUndefined();
});

test('executions that were under way when the pause began do not make it longer', () => {
  const { blame, clock, kill } = setUp();
  kill(5);
  clock.ms += 9_000;
  kill(20);
  clock.ms += 1_000;
  expect(blame.throttled('org-1', 'bad')).toBeUndefined();
});

test('however many bundles kill, what is remembered is bounded, and the newest is remembered', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), (more) => {
      const clock = { ms: 0 };
      const blame = createBlame({ nowMs: () => clock.ms, wallMs: () => 0 }, { ...defaultBlamePolicy, kills: 1, bundles: 8 });
      const names = Array.from({ length: 8 + more }, (_, index) => `bundle-${index}`);
      for (const name of names) blame.killed('org-1', name, 'heap');
      const throttled = names.filter((name) => blame.throttled('org-1', name) !== undefined);
      expect(throttled).toEqual(names.slice(-8));
    }),
  );
});
