import { cleanText, PlatformError } from '@airlock/protocol';
import type { Column, Table } from '../metadata/table.ts';

/** Names in payloads and queries are somebody else's text. */
export const shownName = (name: string): string => cleanText(name, 128);

export const invalidValue = (table: Table, column: Pick<Column, 'logicalName'>, problem: string): PlatformError =>
  new PlatformError('INVALID_VALUE', { set: table.entitySetName, column: column.logicalName, problem });
