import { expect, test } from 'vitest';
import { followUpTask, limitSubject } from './task.ts';

test('a task over a weekend is due after it', () => {
  const friday = new Date('2026-01-30T12:00:00.000Z');
  expect(followUpTask('Call', 'a1', { now: friday, workingDays: 3 })).toEqual({
    subject: 'Call',
    scheduledend: '2026-02-04T12:00:00.000Z',
    regardingobjectid: { logicalName: 'account', id: 'a1' },
  });
});

test('a limit that was not there or goes away is none', () => {
  expect(limitSubject('Contoso', { from: undefined, to: 5 })).toBe('Credit limit of Contoso: none → 5');
  expect(limitSubject('Contoso', { from: 5, to: null })).toBe('Credit limit of Contoso: 5 → none');
});
