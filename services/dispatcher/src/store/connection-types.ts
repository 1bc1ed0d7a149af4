import type { PostgresType } from 'postgres';

const TIMESTAMPTZ = 1184;
const DATE = 1082;
const INT8 = 20;
const NUMERIC = 1700;
const INT4_ARRAY = 1007;
const TEXT_ARRAY = 1009;
const UUID_ARRAY = 2951;

const asText = (value: unknown) => String(value);

/** `2026-01-31 12:00:00.12+00` (the session's time zone is UTC) → `2026-01-31T12:00:00.120Z`. */
export function isoFromTimestamp(text: string): string {
  if (text.length < 22 || !text.endsWith('+00')) return new Date(text).toISOString();
  const fraction = text.slice(20, -3).padEnd(3, '0').slice(0, 3);
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.charAt(19) === '.' ? fraction : '000'}Z`;
}

/** An array parameter as Postgres' own text form; elements are quoted, so that no text can end the literal. */
function arrayLiteral(value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  return `{${value.map((item) => (typeof item === 'number' ? String(item) : `"${String(item).replace(/[\\"]/g, '\\$&')}"`)).join(',')}}`;
}

const type = (oid: number, parse: (text: string) => unknown, serialize: (value: unknown) => string = asText): PostgresType => ({
  to: oid,
  from: [oid],
  serialize,
  parse,
});

/** Values as the pipeline wants them; the contract is that of `Queryable`. */
export const connectionTypes: Record<string, PostgresType> = {
  timestamptz: type(TIMESTAMPTZ, isoFromTimestamp),
  date: type(DATE, (text) => text),
  int8: type(INT8, Number),
  numeric: type(NUMERIC, Number),
  int4Array: type(INT4_ARRAY, (text) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(Number)), arrayLiteral),
  textArray: { to: TEXT_ARRAY, from: [], serialize: arrayLiteral, parse: (text: string) => text },
  uuidArray: type(UUID_ARRAY, (text) => (text === '{}' ? [] : text.slice(1, -1).split(',')), arrayLiteral),
};
