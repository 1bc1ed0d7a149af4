import type { Attributes, EntityReference } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { keyIndexName, lookupConstraintName, primaryKeyName } from '../metadata/physical.ts';
import type { Table } from '../metadata/table.ts';
import { invalidValue } from './invalid-value.ts';

const MAX_CAUSES = 4;

interface ServerError {
  readonly code: string;
  readonly constraint: string;
}

/** The server's own account of `error`, which a driver or a query layer may have wrapped. */
function serverErrorOf(error: unknown): ServerError | undefined {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && typeof current === 'object' && current !== null; depth += 1) {
    const {
      code,
      constraint_name: constraint,
      cause,
    } = current as { readonly code?: unknown; readonly constraint_name?: unknown; readonly cause?: unknown };
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return { code, constraint: typeof constraint === 'string' ? constraint : '' };
    current = cause;
  }
  return undefined;
}

/** What the statement was about, as far as it is known; makes the error say more. */
export interface StatementFacts {
  readonly attributes?: Attributes;
  readonly statementTimeoutMs?: number;
}

const conflict = (reason: string, cause: unknown) => new PlatformError('TRANSACTION_CONFLICT', { reason }, { cause });

/** The registered error that a failed statement on `table` means; `undefined` when it means none, which is our bug. */
export function translateDatabaseError(error: unknown, table: Table, facts: StatementFacts = {}): PlatformError | undefined {
  if (error instanceof PlatformError) return error;
  const server = serverErrorOf(error);
  switch (server?.code) {
    case '40001':
      return conflict('serialization failure', error);
    case '40P01':
      return conflict('deadlock', error);
    case '55P03':
      return conflict('a row stayed locked by another transaction', error);
    case '57014':
      return new PlatformError('SQL_TIMEOUT', { limitMs: facts.statementTimeoutMs ?? 'the configured number of' }, { cause: error });
    case '23505':
      return duplicate(server.constraint, table, error);
    case '23503':
      return foreignKey(server.constraint, table, facts.attributes, error);
    case '54000':
      // An index entry that is too long: a key whose text grew by changing case.
      return new PlatformError(
        'INVALID_ARGUMENT',
        { problem: `A value of the table "${table.logicalName}" is too long for one of its indexes.` },
        { cause: error },
      );
    default:
      return undefined;
  }
}

function duplicate(constraint: string, table: Table, cause: unknown): PlatformError | undefined {
  if (constraint === primaryKeyName(table.logicalName)) return new PlatformError('DUPLICATE_RECORD', {}, { cause });
  const key = table.keys.find((candidate) => keyIndexName(table.logicalName, candidate.logicalName) === constraint);
  return key === undefined ? undefined : new PlatformError('DUPLICATE_KEY', { key: key.logicalName, columns: key.columns.join(', ') }, { cause });
}

function foreignKey(constraint: string, table: Table, attributes: Attributes | undefined, cause: unknown): PlatformError | undefined {
  for (const column of table.columns.values()) {
    if (column.type !== 'lookup' || lookupConstraintName(table.logicalName, column.logicalName) !== constraint) continue;
    const reference = attributes?.[column.logicalName] as EntityReference | undefined;
    if (reference === undefined) return invalidValue(table, column, 'points to a row that does not exist');
    return lookupTargetMissing(column.logicalName, reference, cause);
  }
  return undefined;
}

export const lookupTargetMissing = (column: string, { logicalName, id }: EntityReference, cause?: unknown): PlatformError =>
  new PlatformError('LOOKUP_TARGET_MISSING', { column, target: logicalName, id }, { cause });
