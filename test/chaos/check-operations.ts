import type { Check } from './checks.ts';

const groupBy = <T>(rows: readonly T[], keyOf: (row: T) => string): ReadonlyMap<string, readonly T[]> => Map.groupBy(rows, keyOf);

/** What clients were told is what the tables say. */
export const operationChecks: readonly Check[] = [
  {
    rule: 'an acknowledged operation is there, once',
    *broken({ operations, evidence }) {
      const records = new Set(evidence.records.map(({ id }) => id));
      const details = groupBy(evidence.details, ({ token }) => token);
      for (const { kind, token, recordId, outcome } of operations) {
        if (outcome !== 'acknowledged') continue;
        if (!records.has(recordId)) yield `the record ${recordId} of an acknowledged ${kind} is not there`;
        const found = details.get(token)?.length ?? 0;
        if (found !== 1) yield `the acknowledged ${kind} ${token} was applied ${found} times`;
      }
    },
  },
  {
    rule: 'a refused operation left nothing',
    *broken({ operations, evidence }) {
      const details = new Set(evidence.details.map(({ token }) => token));
      const tokens = new Set(evidence.records.map(({ token }) => token));
      for (const { kind, token, recordId, outcome, detail } of operations) {
        if (outcome !== 'refused') continue;
        if (details.has(token) || tokens.has(token)) yield `the ${kind} ${token} of ${recordId} was refused (${detail}), and yet it was applied`;
      }
    },
  },
  {
    rule: 'an operation that a plug-in rejects is never applied',
    *broken({ operations, evidence }) {
      const details = new Set(evidence.details.map(({ token }) => token));
      for (const { kind, token, verdict, outcome } of operations) {
        if (verdict === 'pass') continue;
        if (outcome === 'acknowledged') yield `the ${kind} ${token} was acknowledged although its plug-in said ${verdict}`;
        if (details.has(token)) yield `the ${kind} ${token} was applied although its plug-in said ${verdict}`;
      }
    },
  },
  {
    rule: 'no operation is half applied',
    *broken({ evidence }) {
      const records = new Set(evidence.records.map(({ id }) => id));
      const details = groupBy(evidence.details, ({ token }) => token);
      for (const { id, token, stamped } of evidence.records) {
        if (stamped !== token) yield `the record ${id} has the token ${token} and the stamp ${stamped}`;
        if (details.get(token)?.length !== 1) yield `the record ${id} has no row of its last operation ${token}`;
      }
      for (const { record, token, operation } of evidence.details) {
        if (!records.has(record)) yield `the ${operation} ${token} left a row, and its record ${record} is not there`;
      }
      const creates = groupBy(
        evidence.details.filter(({ operation }) => operation === 'Create'),
        ({ record }) => record,
      );
      for (const id of records) if (creates.get(id)?.length !== 1) yield `the record ${id} was created ${creates.get(id)?.length ?? 0} times`;
    },
  },
];
