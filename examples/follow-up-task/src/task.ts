import type { Attributes, ChangedColumn } from '@airlock/plugin-sdk';
import { addBusinessDays } from 'date-fns/addBusinessDays';

/** A task about an account, due so many working days from `now`. */
export function followUpTask(subject: string, accountId: string, { now, workingDays }: { now: Date; workingDays: number }): Attributes {
  return {
    subject,
    scheduledend: addBusinessDays(now, workingDays).toISOString(),
    regardingobjectid: { logicalName: 'account', id: accountId },
  };
}

/** `Credit limit of Contoso: 1000 → none` */
export function limitSubject(name: string, { from, to }: Pick<ChangedColumn, 'from' | 'to'>): string {
  return `Credit limit of ${name}: ${from ?? 'none'} → ${to ?? 'none'}`;
}
