import { randomUUIDv7 } from 'node:crypto';
import postgres from 'postgres';
import type { Lane } from './measure.ts';

const SYSTEM = '00000000-0000-4000-8000-00000000a11c';

/**
 * Postgres alone: a durable transaction with the insert that a create makes, into a table that Airlock made (same columns,
 * defaults, indexes), over one connection, BEGIN, INSERT and COMMIT one after the other.
 */
export function openInsertFloor(databaseUrl: string, table: string): Lane & AsyncDisposable {
  const sql = postgres(databaseUrl, { max: 1, fetch_types: false, onnotice: () => undefined });
  return {
    name: 'floor: Postgres BEGIN, the same INSERT, COMMIT',
    run: () =>
      sql.begin(
        (transaction) => transaction`
          insert into ${transaction(`data.${table}`)} (${transaction(`${table}id`)}, ownerid, name, amount, note, createdby, modifiedby)
          values (${randomUUIDv7()}, ${SYSTEM}, ${'Contoso'}, ${'1000'}, ${'checked Contoso'}, ${SYSTEM}, ${SYSTEM})
          returning ${transaction(`${table}id`)}, versionnumber`,
      ),
    [Symbol.asyncDispose]: () => sql.end(),
  };
}
