import { boolean, doublePrecision, foreignKey, integer, primaryKey, text } from 'drizzle-orm/pg-core';
import { airlockTable, createdOn, modifiedOn } from './columns.ts';

/**
 * What `defineTable` was given. System columns are not listed: every table has the same. Lists of names are text with
 * commas (a logical name has none).
 */
export const tabledefinition = airlockTable('tabledefinition', {
  logicalname: text('logicalname').primaryKey(),
  displayname: text('displayname').notNull(),
  displaycollectionname: text('displaycollectionname').notNull(),
  entitysetname: text('entitysetname').notNull().unique('tabledefinition_entity_set_name'),
  primarynameattribute: text('primarynameattribute').notNull(),
  createrole: text('createrole'),
  readrole: text('readrole'),
  writerole: text('writerole'),
  deleterole: text('deleterole'),
  customstepsallowed: boolean('customstepsallowed').notNull().default(true),
  createdon: createdOn(),
  modifiedon: modifiedOn(),
});

export const columndefinition = airlockTable(
  'columndefinition',
  {
    tablename: text('tablename')
      .notNull()
      .references(() => tabledefinition.logicalname),
    logicalname: text('logicalname').notNull(),
    ordinal: integer('ordinal').notNull(),
    displayname: text('displayname').notNull(),
    type: text('type').notNull(),
    required: boolean('required').notNull(),
    maxlength: integer('maxlength'),
    scale: integer('scale'),
    minimum: doublePrecision('minimum'),
    maximum: doublePrecision('maximum'),
    targets: text('targets'),
  },
  (table) => [primaryKey({ columns: [table.tablename, table.logicalname] })],
);

export const choicedefinition = airlockTable(
  'choicedefinition',
  {
    tablename: text('tablename').notNull(),
    columnname: text('columnname').notNull(),
    value: integer('value').notNull(),
    label: text('label').notNull(),
    ordinal: integer('ordinal').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tablename, table.columnname, table.value] }),
    foreignKey({ columns: [table.tablename, table.columnname], foreignColumns: [columndefinition.tablename, columndefinition.logicalname] }),
  ],
);

export const keydefinition = airlockTable(
  'keydefinition',
  {
    tablename: text('tablename')
      .notNull()
      .references(() => tabledefinition.logicalname),
    logicalname: text('logicalname').notNull(),
    columns: text('columns').notNull(),
    ordinal: integer('ordinal').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tablename, table.logicalname] })],
);
