import { PlatformError } from '@airlock/protocol';
import type { Queryable } from '../store/queryable.ts';
import type { Transactional } from './audit.ts';

/** What a server's SQLSTATE means for a change of registrations; all of these left everything as it was. */
const reasons: Readonly<Record<string, string>> = {
  '40001': 'serialization failure',
  '40P01': 'deadlock',
  '55P03': 'another change holds what this one needs',
  '23503': 'what it refers to was removed meanwhile',
  '23505': 'another change stored the same meanwhile',
};

/** A transaction that changes registrations. Collisions with other changes are answers, not unexpected errors. */
export async function changeTransaction<T>(db: Transactional, work: (tx: Queryable) => Promise<T>): Promise<T> {
  try {
    return await db.inTransaction(work);
  } catch (error) {
    throw registeredError(error) ?? error;
  }
}

function registeredError(error: unknown): PlatformError | undefined {
  if (!(error instanceof Error) || error instanceof PlatformError || !('code' in error)) return undefined;
  if (error.code === '57014') return new PlatformError('SQL_TIMEOUT', { limitMs: 'the configured number of' }, { cause: error });
  const reason = typeof error.code === 'string' && Object.hasOwn(reasons, error.code) ? reasons[error.code] : undefined;
  return reason === undefined ? undefined : new PlatformError('TRANSACTION_CONFLICT', { reason }, { cause: error });
}
