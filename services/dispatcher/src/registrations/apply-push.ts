import type { RunAs, StepImage } from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Metadata } from '../metadata/table.ts';
import type { Queryable, Row } from '../store/queryable.ts';
import { type AuditedCaller, audit, raiseRegistrationVersion } from './audit.ts';
import type { CheckedBundle } from './check-bundle.ts';
import { ensureFilter } from './ensure-messages.ts';
import type { PushPlan } from './plan-push.ts';
import type { RegisteredImage, RegisteredStep, SettledStep } from './registered-step.ts';
import type { VerifiedSignature } from './verify-signature.ts';

export interface AcceptedBundle extends CheckedBundle {
  readonly typeNames: readonly string[];
  /** The clock that the inspection saw is the one that executions will see. */
  readonly uploadedAtMs: number;
  readonly signature: VerifiedSignature | undefined;
}

/** Writes what the plan says, in the transaction of the caller, which holds the bundle's lock. */
export async function applyPush(tx: Queryable, bundle: AcceptedBundle, plan: PushPlan, by: AuditedCaller, metadata: Metadata): Promise<void> {
  const { name, version } = bundle.manifest;
  const typeIds = plan.version?.types ?? (await insertVersion(tx, bundle, by));
  const versionId = plan.version?.id ?? (await versionIdOf(tx, bundle));
  const target: StepTarget = { bundleName: name, typeIds, metadata, by };
  for (const step of plan.remove) await deleteStep(tx, step);
  for (const { registered, settled } of plan.update) await updateStep(tx, target, registered, settled);
  for (const step of plan.create) await insertStep(tx, target, step);
  await makeCurrent(tx, name, versionId);
  await keepSignature(tx, versionId, bundle.signature);
  const changes = plan.changes.filter(({ action }) => action !== 'unchanged');
  await audit(tx, by, {
    action: 'push',
    objectType: 'pluginassembly',
    objectId: versionId,
    objectName: `${name}@${version}`,
    changes: { digest: bundle.digest, signedBy: bundle.signature?.fingerprint ?? null, changes },
  });
  await raiseRegistrationVersion(tx);
}

interface StepTarget {
  readonly bundleName: string;
  readonly typeIds: ReadonlyMap<string, string>;
  readonly metadata: Metadata;
  readonly by: AuditedCaller;
}

async function insertVersion(tx: Queryable, bundle: AcceptedBundle, by: AuditedCaller): Promise<ReadonlyMap<string, string>> {
  const { manifest, digest, code, sourceMap, typeNames, uploadedAtMs } = bundle;
  const versionId = idOf(
    await tx.query(sql`
      insert into airlock.pluginassembly (name, version, digest, description, stateless, size, code, sourcemap, manifest, uploadedon, uploadedby)
      values (${manifest.name}, ${manifest.version}, ${digest}, ${manifest.description}, ${manifest.stateless}, ${code.byteLength}, ${code},
        ${sourceMap ?? null}, ${JSON.stringify(manifest)}::text::jsonb, ${new Date(uploadedAtMs).toISOString()}::timestamptz, ${by.userId}::uuid)
      returning pluginassemblyid as id`),
  );
  const types = new Map<string, string>();
  for (const typeName of typeNames) {
    const inserted = await tx.query(sql`
      insert into airlock.plugintype (pluginassemblyid, typename, name, friendlyname, assemblyname)
      values (${versionId}::uuid, ${typeName}, ${typeName}, ${typeName}, ${manifest.name}) returning plugintypeid as id`);
    types.set(typeName, idOf(inserted));
  }
  return types;
}

async function versionIdOf(tx: Queryable, { manifest: { name, version } }: AcceptedBundle): Promise<string> {
  return idOf(await tx.query(sql`select pluginassemblyid as id from airlock.pluginassembly where name = ${name} and version = ${version}`));
}

/** Two statements: the unique index on the current version looks at each row as it changes. */
async function makeCurrent(tx: Queryable, name: string, versionId: string): Promise<void> {
  await tx.query(sql`
    update airlock.pluginassembly set iscurrent = false, modifiedon = now(), versionnumber = nextval('data.versionnumber')
    where name = ${name} and iscurrent and pluginassemblyid <> ${versionId}::uuid`);
  await tx.query(sql`
    update airlock.pluginassembly set iscurrent = true, modifiedon = now(), versionnumber = nextval('data.versionnumber')
    where pluginassemblyid = ${versionId}::uuid and not iscurrent`);
}

/** A version that came unsigned and is pushed again signed is signed from then on; never the other way round. */
async function keepSignature(tx: Queryable, versionId: string, signature: VerifiedSignature | undefined): Promise<void> {
  if (signature === undefined) return;
  await tx.query(sql`
    update airlock.pluginassembly set signingkeyid = ${signature.keyId}::uuid, signature = ${signature.value}, modifiedon = now(),
      versionnumber = nextval('data.versionnumber')
    where pluginassemblyid = ${versionId}::uuid and signingkeyid is distinct from ${signature.keyId}::uuid`);
}

async function insertStep(tx: Queryable, target: StepTarget, step: SettledStep): Promise<void> {
  const values = await stepValues(tx, target, step);
  const stepId = idOf(
    await tx.query(sql`
      insert into airlock.sdkmessageprocessingstep (name, description, sdkmessageid, sdkmessagefilterid, plugintypeid, stage, mode, rank,
        filteringattributes, configuration, runas, impersonatinguserid, asyncautodelete, orderingkey, maxconcurrency, priority,
        statecode, statuscode, limits, managedby, createdby, modifiedby)
      values (${step.name}, ${step.description}, ${values.messageId}::uuid, ${values.filterId}::uuid, ${values.typeId}::uuid, ${step.stage}, ${step.mode},
        ${step.rank}, ${step.filteringAttributes.join(',')}, ${step.configuration}, ${step.runAs.kind}, ${userOf(step.runAs)}::uuid,
        ${step.asyncAutoDelete}, ${step.orderingKey ?? null}, ${step.maxConcurrency ?? null}, ${step.priority}, ${values.statecode}, ${values.statecode + 1}, ${values.limits}::text::jsonb, ${target.bundleName},
        ${target.by.userId}::uuid, ${target.by.userId}::uuid)
      returning sdkmessageprocessingstepid as id`),
  );
  for (const image of step.images) await insertImage(tx, stepId, image);
}

/** The id stays, and with it the secure configuration and every job and trace log row that points to the step. */
async function updateStep(tx: Queryable, target: StepTarget, registered: RegisteredStep, step: SettledStep): Promise<void> {
  const values = await stepValues(tx, target, step);
  await tx.query(sql`
    update airlock.sdkmessageprocessingstep set description = ${step.description}, sdkmessageid = ${values.messageId}::uuid,
      sdkmessagefilterid = ${values.filterId}::uuid, plugintypeid = ${values.typeId}::uuid, stage = ${step.stage}, mode = ${step.mode},
      rank = ${step.rank}, filteringattributes = ${step.filteringAttributes.join(',')}, configuration = ${step.configuration},
      runas = ${step.runAs.kind}, impersonatinguserid = ${userOf(step.runAs)}::uuid, asyncautodelete = ${step.asyncAutoDelete},
      orderingkey = ${step.orderingKey ?? null}, maxconcurrency = ${step.maxConcurrency ?? null}, priority = ${step.priority},
      statecode = ${values.statecode}, statuscode = ${values.statecode + 1}, limits = ${values.limits}::text::jsonb,
      modifiedon = now(), modifiedby = ${target.by.userId}::uuid, versionnumber = nextval('data.versionnumber')
    where sdkmessageprocessingstepid = ${registered.id}::uuid`);
  for (const image of goneImages(registered, step)) {
    await tx.query(sql`delete from airlock.sdkmessageprocessingstepimage where sdkmessageprocessingstepimageid = ${image.id}::uuid`);
  }
  for (const image of step.images) await insertImage(tx, registered.id, image);
}

function goneImages(registered: RegisteredStep, step: SettledStep): RegisteredImage[] {
  const wanted = new Set(step.images.map(({ entityAlias }) => entityAlias));
  return registered.images.filter(({ entityAlias }) => !wanted.has(entityAlias));
}

async function insertImage(tx: Queryable, stepId: string, image: StepImage): Promise<void> {
  await tx.query(sql`
    insert into airlock.sdkmessageprocessingstepimage as i (sdkmessageprocessingstepid, name, entityalias, imagetype, messagepropertyname, attributes)
    values (${stepId}::uuid, ${image.entityAlias}, ${image.entityAlias}, ${image.imageType}, ${image.messagePropertyName},
      ${image.attributes?.join(',') ?? null})
    on conflict (sdkmessageprocessingstepid, entityalias) do update set imagetype = excluded.imagetype,
      messagepropertyname = excluded.messagepropertyname, attributes = excluded.attributes, modifiedon = now(),
      versionnumber = nextval('data.versionnumber')
    where (i.imagetype, i.messagepropertyname, i.attributes) is distinct from
      (excluded.imagetype, excluded.messagepropertyname, excluded.attributes)`);
}

/** The secret goes with its step: nothing else points to it, and nobody could find it again. */
export async function deleteStep(tx: Queryable, { id }: Pick<RegisteredStep, 'id'>): Promise<void> {
  await tx.query(sql`
    with gone as (delete from airlock.sdkmessageprocessingstep where sdkmessageprocessingstepid = ${id}::uuid
      returning sdkmessageprocessingstepsecureconfigid as secretid)
    delete from airlock.sdkmessageprocessingstepsecureconfig where sdkmessageprocessingstepsecureconfigid in (select secretid from gone)`);
}

async function stepValues(tx: Queryable, { typeIds, metadata }: StepTarget, step: SettledStep) {
  const typeId = typeIds.get(step.typeName);
  if (typeId === undefined)
    throw new PlatformError('STEP_INVALID', { step: step.name, problem: 'the stored version of the bundle has no such type.' });
  const table = step.primaryTable === undefined ? undefined : metadata.tables.get(step.primaryTable);
  if (step.primaryTable !== undefined && table === undefined) throw new PlatformError('TABLE_UNKNOWN', { table: step.primaryTable });
  if (table !== undefined) await ensureFilter(tx, step.messageName, table);
  const [message] = await tx.query(sql`
    select m.sdkmessageid as messageid, f.sdkmessagefilterid as filterid from airlock.sdkmessage m
    left join airlock.sdkmessagefilter f on f.sdkmessageid = m.sdkmessageid and f.primaryobjecttypecode = ${table?.logicalName ?? null}
    where m.name = ${step.messageName}`);
  if (message === undefined) throw new PlatformError('MESSAGE_UNKNOWN', { step: step.name, message: step.messageName });
  const { messageid, filterid } = z.object({ messageid: z.string(), filterid: z.string().nullable() }).parse(message);
  return { typeId, messageId: messageid, filterId: filterid, statecode: step.enabled ? 0 : 1, limits: JSON.stringify(step.limits) };
}

function userOf(runAs: RunAs): string | null {
  return runAs.kind === 'user' ? runAs.userId : null;
}

function idOf(rows: readonly Row[]): string {
  return z.object({ id: z.string() }).parse(rows[0]).id;
}
