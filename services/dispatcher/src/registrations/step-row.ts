import { ImageType, IsolationMode, Mode, maximumLimits, type RunAs, Stage, type StepLimits, type UserId } from '@airlock/pipeline';
import { sql } from 'drizzle-orm';
import { z } from 'zod';

/** One registered step with all that belongs to it, read in one statement: one statement sees one state. */
export const stepSelect = sql`
  select s.sdkmessageprocessingstepid as id, s.name, s.description, m.name as messagename, f.primaryobjecttypecode as primarytable, s.stage, s.mode,
    s.rank, s.filteringattributes, s.configuration, s.sdkmessageprocessingstepsecureconfigid is not null as hassecret, s.runas,
    s.impersonatinguserid, s.asyncautodelete, s.orderingkey, s.maxconcurrency, s.priority, s.supporteddeployment, s.statecode, s.limits, s.managedby,
    (extract(epoch from s.createdon) * 1000)::bigint as createdms,
    t.typename, a.name as bundlename, a.version as bundleversion, a.digest, (extract(epoch from a.uploadedon) * 1000)::bigint as uploadedms,
    a.stateless, a.isolationmode,
    coalesce((
      select json_agg(json_build_object('id', i.sdkmessageprocessingstepimageid, 'alias', i.entityalias, 'type', i.imagetype,
        'property', i.messagepropertyname, 'attributes', i.attributes) order by i.entityalias)
      from airlock.sdkmessageprocessingstepimage i where i.sdkmessageprocessingstepid = s.sdkmessageprocessingstepid), '[]'::json) as images
  from airlock.sdkmessageprocessingstep s
  join airlock.sdkmessage m on m.sdkmessageid = s.sdkmessageid
  left join airlock.sdkmessagefilter f on f.sdkmessagefilterid = s.sdkmessagefilterid
  join airlock.plugintype t on t.plugintypeid = s.plugintypeid
  join airlock.pluginassembly a on a.pluginassemblyid = t.pluginassemblyid`;

const oneOf = <T extends number>(values: Readonly<Record<string, T>>) => z.literal(Object.values(values));

export const StepRow = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  messagename: z.string(),
  primarytable: z.string().nullable(),
  stage: z.literal([Stage.PreValidation, Stage.PreOperation, Stage.PostOperation]),
  mode: oneOf(Mode),
  rank: z.number(),
  filteringattributes: z.string(),
  configuration: z.string(),
  hassecret: z.boolean(),
  runas: z.enum(['calling-user', 'system', 'user']),
  impersonatinguserid: z.string().nullable(),
  asyncautodelete: z.boolean(),
  orderingkey: z.string().nullable(),
  maxconcurrency: z.number().nullable(),
  priority: z.number(),
  supporteddeployment: z.number(),
  statecode: z.number(),
  /** Checked by the step rules when they were written. */
  limits: z.record(z.string(), z.number()),
  managedby: z.string().nullable(),
  createdms: z.number(),
  typename: z.string(),
  bundlename: z.string(),
  bundleversion: z.string(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  uploadedms: z.number(),
  stateless: z.boolean(),
  isolationmode: oneOf(IsolationMode),
  images: z.array(z.object({ id: z.string(), alias: z.string(), type: oneOf(ImageType), property: z.string(), attributes: z.string().nullable() })),
});
export type StepRow = z.output<typeof StepRow>;

/** Names are logical names, which hold no comma. */
export const listOf = (text: string): string[] => (text === '' ? [] : text.split(','));

export function runAsOf({ runas, impersonatinguserid }: StepRow): RunAs {
  // The table's check holds a user exactly where `runas` is 'user'; its id was checked when it was written.
  if (runas === 'user') return { kind: 'user', userId: impersonatinguserid as UserId };
  return { kind: runas };
}

export function limitsOf({ limits }: StepRow): Partial<StepLimits> {
  return Object.fromEntries(Object.entries(limits).filter(([name]) => Object.hasOwn(maximumLimits, name)));
}

export function imagesOf({ images }: StepRow) {
  return images.map(({ id, alias, type, property, attributes }) => ({
    id,
    entityAlias: alias,
    imageType: type,
    messagePropertyName: property,
    attributes: attributes === null ? undefined : listOf(attributes),
  }));
}
