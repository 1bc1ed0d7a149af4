import type { Step, UserId } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { may } from '../access/may.ts';
import type { Role, Table } from '../metadata/table.ts';
import { SYSTEM_USER_ID } from '../store/well-known.ts';
import type { Caller } from './message.ts';
import type { Operation } from './operation.ts';

/** The user whose privileges a step uses. */
export interface ActingUser {
  readonly userId: UserId;
  readonly role: Role;
  mayRead(table: Table): boolean;
}

function acting(userId: UserId, role: Role): ActingUser {
  return { userId, role, mayRead: (table) => may(role, table, 'read') };
}

/** Throws `ACCESS_DENIED` with the user's name when it is disabled or gone (statement 25). */
export async function userById(op: Operation, userId: UserId, forWhom: string): Promise<ActingUser> {
  const user = await op.deps.users.find(userId);
  if (user === undefined)
    throw new PlatformError('ACCESS_DENIED', { needs: `the user with SystemUserId=${userId}, as whom ${forWhom} runs, does not exist` });
  if (user.isDisabled) {
    throw new PlatformError('ACCESS_DENIED', {
      needs: `the user with SystemUserId=${userId} (${user.fullname}), as whom ${forWhom} runs, is disabled`,
    });
  }
  return acting(user.userId, user.role);
}

export async function actingUserOf(op: Operation, step: Step, caller: Caller): Promise<ActingUser> {
  switch (step.runAs.kind) {
    case 'calling-user':
      return acting(caller.userId, caller.role);
    case 'system':
      return acting(SYSTEM_USER_ID, 'operator');
    case 'user':
      return await userById(op, step.runAs.userId, `the step "${step.name}"`);
    default:
      return step.runAs satisfies never;
  }
}
