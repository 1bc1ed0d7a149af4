import type { Column, ColumnType } from './table.ts';

const column = (logicalName: string, displayName: string, type: ColumnType, rest: Partial<Column> = {}): Column => ({
  logicalName,
  displayName,
  type,
  required: false,
  readOnly: true,
  ...rest,
});
const user = (logicalName: string, displayName: string, readOnly: boolean): Column =>
  column(logicalName, displayName, 'lookup', { readOnly, targets: ['systemuser'] });

export const primaryIdOf = (table: string): string => `${table}id`;

/** What every record table has (design.md §6). The id may be chosen by whoever creates the row; the rest follows from use. */
export function systemColumns(table: string): readonly Column[] {
  return [
    column(primaryIdOf(table), 'Id', 'uuid', { readOnly: false }),
    column('createdon', 'Created On', 'datetime'),
    column('modifiedon', 'Modified On', 'datetime'),
    user('createdby', 'Created By', true),
    user('modifiedby', 'Modified By', true),
    user('ownerid', 'Owner', false),
    column('statecode', 'Status', 'choice', {
      readOnly: false,
      choices: [
        { value: 0, label: 'Active' },
        { value: 1, label: 'Inactive' },
      ],
    }),
    column('statuscode', 'Status Reason', 'choice', {
      readOnly: false,
      choices: [
        { value: 1, label: 'Active' },
        { value: 2, label: 'Inactive' },
      ],
    }),
    column('versionnumber', 'Version Number', 'bigint'),
  ];
}
