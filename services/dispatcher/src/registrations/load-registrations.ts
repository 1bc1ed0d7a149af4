import { type BundleDigest, indexSteps, type Step, type StepId, type StepIndex } from '@airlock/pipeline';
import { PlatformError, Settings } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { createRedact, type Redact } from '../secrets/redact.ts';
import type { OpenedSecret } from '../secrets/seal.ts';
import { noMasterKey, type SecretKeeper } from '../secrets/secret-keeper.ts';
import type { Queryable, Row } from '../store/queryable.ts';
import { imagesOf, limitsOf, listOf, runAsOf, StepRow, stepSelect } from './step-row.ts';

/** One consistent state of all registrations; replaced whole when one changes. */
export interface Registrations {
  readonly version: number;
  readonly index: StepIndex;
  readonly stepsById: ReadonlyMap<StepId, Step>;
  readonly settings: Settings;
  /** Takes the secrets of all these steps out of a text. */
  readonly redact: Redact;
  /** Steps that fail whenever they are to run, because their secure configuration cannot be opened. */
  readonly unreadable: readonly UnreadableStep[];
}

export interface UnreadableStep {
  readonly stepId: StepId;
  readonly step: string;
  readonly problem: string;
}

const OrganizationRow = z.object({
  registrationversion: z.number(),
  plugintracelogsetting: z.number(),
  maxdepth: z.number(),
  requiresignature: z.boolean(),
});
const SecretRow = z.object({ secret: z.string().nullable() });

/** Cheap enough to ask every few seconds. */
export async function registrationsVersion(db: Queryable): Promise<number> {
  const [row] = await db.query(sql`select registrationversion from airlock.organization`);
  return z.object({ registrationversion: z.number() }).parse(row).registrationversion;
}

/** One statement, so that version, settings, steps and images are of one moment. Throws rather than leave a step out. */
export async function loadRegistrations(db: Queryable, secrets: SecretKeeper = noMasterKey): Promise<Registrations> {
  const rows = await db.query(sql`
    select o.registrationversion, o.plugintracelogsetting, o.maxdepth, o.requiresignature, step.*
    from airlock.organization o
    left join (
      select known.*, c.secureconfig as secret from (${stepSelect}) known
      join airlock.sdkmessageprocessingstep s on s.sdkmessageprocessingstepid = known.id
      left join airlock.sdkmessageprocessingstepsecureconfig c using (sdkmessageprocessingstepsecureconfigid)
    ) step on true`);
  const organization = OrganizationRow.parse(rows[0]);
  const stepRows = rows.filter((row) => row['id'] !== null);
  const secretOf = await secretsOf(db, secrets, stepRows);
  const steps = stepRows.map((row) => stepOf(row, secretOf(row)));
  const opened = stepRows.map((row) => ({ row, secret: secretOf(row) }));
  return {
    version: organization.registrationversion,
    index: indexSteps(steps),
    stepsById: new Map(steps.map((step) => [step.id, step])),
    settings: Settings.parse({
      pluginTraceLogSetting: organization.plugintracelogsetting,
      maxDepth: organization.maxdepth,
      requireSignature: organization.requiresignature,
    }),
    redact: createRedact(opened.flatMap(({ secret }) => (secret.ok && secret.text !== '' ? [secret.text] : []))),
    unreadable: opened.flatMap(({ row, secret }) =>
      secret.ok ? [] : [{ stepId: String(row['id']) as StepId, step: String(row['name']), problem: secret.problem }],
    ),
  };
}

const NO_SECRET: OpenedSecret = { ok: true, text: '' };

/** Opens each secret once; asks for data keys only where there is something to open. */
async function secretsOf(db: Queryable, secrets: SecretKeeper, rows: readonly Row[]): Promise<(row: Row) => OpenedSecret> {
  const sealed = rows.map((row) => ({ row, secret: SecretRow.parse(row).secret })).filter(({ secret }) => secret !== null);
  if (sealed.length === 0) return () => NO_SECRET;
  const open = await secrets.opener(db);
  const opened = new Map(sealed.map(({ row, secret }) => [row, open(String(row['id']), secret ?? '')]));
  return (row) => opened.get(row) ?? NO_SECRET;
}

/** Deployment to a client (1) is the platform's; the server runs what is for the server (0) or for both (2). */
const CLIENT_ONLY = 1;

function stepOf(raw: Row, secret: OpenedSecret): Step {
  const row = StepRow.parse(raw);
  return {
    // Ids and digest come from columns that only hold such.
    id: row.id as StepId,
    name: row.name,
    messageName: row.messagename,
    primaryTable: row.primarytable ?? undefined,
    stage: row.stage,
    mode: row.mode,
    rank: row.rank,
    filteringAttributes: listOf(row.filteringattributes),
    images: imagesOf(row).map(({ entityAlias, imageType, messagePropertyName, attributes }) => ({
      entityAlias,
      imageType,
      messagePropertyName,
      attributes,
    })),
    runAs: runAsOf(row),
    enabled: row.statecode === 0 && row.supporteddeployment !== CLIENT_ONLY,
    unsecureConfiguration: row.configuration,
    // The step stays in the plan: left out, operations would pass unchecked; with an empty secret, it would do who knows what.
    get secureConfiguration(): string {
      if (!secret.ok) throw new PlatformError('SECURE_CONFIGURATION_UNREADABLE', { step: row.name, problem: secret.problem });
      return secret.text;
    },
    asyncAutoDelete: row.asyncautodelete,
    orderingKey: row.orderingkey ?? undefined,
    maxConcurrency: row.maxconcurrency ?? undefined,
    priority: row.priority,
    limits: limitsOf(row),
    createdOn: row.createdms,
    plugin: {
      typeName: row.typename,
      bundleName: row.bundlename,
      bundleVersion: row.bundleversion,
      bundleDigest: row.digest as BundleDigest,
      uploadedAtMs: row.uploadedms,
      stateless: row.stateless,
      isolationMode: row.isolationmode,
    },
  };
}
