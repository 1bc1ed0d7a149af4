import { type BundleDigest, indexSteps, type Step, type StepId, type StepIndex } from '@airlock/pipeline';
import { Settings } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Queryable, Row } from '../store/queryable.ts';
import { openSecret } from './secret-text.ts';
import { imagesOf, limitsOf, listOf, runAsOf, StepRow, stepSelect } from './step-row.ts';

/** One consistent state of all registrations; replaced whole when one changes. */
export interface Registrations {
  readonly version: number;
  readonly index: StepIndex;
  readonly stepsById: ReadonlyMap<StepId, Step>;
  readonly settings: Settings;
}

const OrganizationRow = z.object({ registrationversion: z.number(), plugintracelogsetting: z.number(), maxdepth: z.number() });
const SecretRow = z.object({ secret: z.string().nullable() });

/** Cheap enough to ask every few seconds. */
export async function registrationsVersion(db: Queryable): Promise<number> {
  const [row] = await db.query(sql`select registrationversion from airlock.organization`);
  return z.object({ registrationversion: z.number() }).parse(row).registrationversion;
}

/** One statement, so that version, settings, steps and images are of one moment. Throws rather than leave a step out. */
export async function loadRegistrations(db: Queryable): Promise<Registrations> {
  const rows = await db.query(sql`
    select o.registrationversion, o.plugintracelogsetting, o.maxdepth, step.*
    from airlock.organization o
    left join (
      select known.*, c.secureconfig as secret from (${stepSelect}) known
      join airlock.sdkmessageprocessingstep s on s.sdkmessageprocessingstepid = known.id
      left join airlock.sdkmessageprocessingstepsecureconfig c using (sdkmessageprocessingstepsecureconfigid)
    ) step on true`);
  const organization = OrganizationRow.parse(rows[0]);
  const steps = rows.filter((row) => row['id'] !== null).map(stepOf);
  return {
    version: organization.registrationversion,
    index: indexSteps(steps),
    stepsById: new Map(steps.map((step) => [step.id, step])),
    settings: Settings.parse({ pluginTraceLogSetting: organization.plugintracelogsetting, maxDepth: organization.maxdepth }),
  };
}

/** Deployment to a client (1) is the platform's; the server runs what is for the server (0) or for both (2). */
const CLIENT_ONLY = 1;

function stepOf(raw: Row): Step {
  const row = StepRow.parse(raw);
  const { secret } = SecretRow.parse(raw);
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
    secureConfiguration: secret === null ? '' : openSecret(row.id, secret),
    asyncAutoDelete: row.asyncautodelete,
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
