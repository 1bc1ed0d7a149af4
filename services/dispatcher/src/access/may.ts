import { type Right, type Role, roles, type Table } from '../metadata/table.ts';

/** Each role may do all that those before it may (`roles` is in that order). */
export function atLeast(role: Role, least: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(least);
}

/** Whether `role` holds `right` on the table; a right that no role holds is nobody's. */
export function may(role: Role, table: Pick<Table, 'rights'>, right: Right): boolean {
  const least = needs(table, right);
  return least !== undefined && atLeast(role, least);
}

/** The least role that holds the right. */
export function needs(table: Pick<Table, 'rights'>, right: Right): Role | undefined {
  return table.rights[right];
}
