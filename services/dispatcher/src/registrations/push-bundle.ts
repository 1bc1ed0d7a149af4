import { type BundleDigest, checkStep, SupportedDeployment } from '@airlock/pipeline';
import { type BundleReference, type BundleUpload, type InspectionResult, PlatformError, type PushResult } from '@airlock/protocol';
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Metadata } from '../metadata/table.ts';
import type { Queryable } from '../store/queryable.ts';
import { type AcceptedBundle, applyPush } from './apply-push.ts';
import type { AuditedCaller, Transactional } from './audit.ts';
import type { BundleStore } from './bundle-store.ts';
import { changeTransaction } from './change-transaction.ts';
import { type CheckedBundle, checkBundle } from './check-bundle.ts';
import { checkInspection } from './check-inspection.ts';
import { lockBundle } from './lock-bundle.ts';
import { type PushPlan, planPush } from './plan-push.ts';
import { readRegistered } from './read-registered.ts';
import type { RegisteredBundle } from './registered-step.ts';
import { verifySignature } from './verify-signature.ts';
import { type WantedStep, wantedSteps } from './wanted-step.ts';

export interface PushDependencies {
  readonly db: Transactional;
  /** Loads the bundle in a sandbox worker and says what is in it. */
  readonly inspect: (bundle: BundleReference, code: string) => Promise<InspectionResult>;
  /** Serves the bundle to the worker that inspects it: it is not stored yet. */
  readonly bundles: Pick<BundleStore, 'offer'>;
  readonly metadata: () => Metadata;
  /** Registrations changed: tell every dispatcher. Called after the commit. */
  readonly changed: () => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Registers a bundle's types and the steps that it declares, or only says what that would change. All or nothing: a bundle
 * with one illegal step changes nothing. Idempotent, and it never touches steps that the bundle does not own.
 */
export async function pushBundle(
  deps: PushDependencies,
  upload: BundleUpload,
  by: AuditedCaller,
  options: { readonly plan: boolean },
): Promise<PushResult> {
  const checked = checkBundle(upload);
  // Before anything of the code is run, in a sandbox or not.
  const signature = await verifySignature(deps.db, checked, upload.signature);
  refuseTakenVersion(checked, await readRegistered(deps.db, checked.manifest.name));
  const uploadedAtMs = (await firstUploadMs(deps.db, checked.digest)) ?? deps.now();
  const types = await inspectBundle(deps, checked, upload.code, uploadedAtMs);
  const steps = wantedSteps(types);
  const metadata = deps.metadata();
  await checkSteps(deps.db, steps, metadata);
  const bundle: AcceptedBundle = { ...checked, typeNames: types.map(({ typeName }) => typeName), uploadedAtMs, signature };
  if (options.plan) return resultOf(bundle, await planIn(deps.db, bundle, steps), false);
  const plan = await changeTransaction(deps.db, async (tx) => {
    await lockBundle(tx, bundle.manifest.name);
    // Again: the key may have been revoked while the bundle was inspected.
    await verifySignature(tx, checked, upload.signature);
    const decided = await planIn(tx, bundle, steps);
    if (changesAnything(decided)) await applyPush(tx, bundle, decided, by, metadata);
    return decided;
  });
  if (changesAnything(plan)) deps.changed();
  return resultOf(bundle, plan, true);
}

/** Code that is known keeps the clock of its first upload: its top-level code sees the same time under every name and version. */
async function firstUploadMs(db: Queryable, digest: BundleDigest): Promise<number | undefined> {
  const [row] = await db.query(sql`
    select (extract(epoch from min(uploadedon)) * 1000)::bigint as ms from airlock.pluginassembly where digest = ${digest}`);
  return z.object({ ms: z.number().nullable() }).parse(row).ms ?? undefined;
}

/** A version is immutable. The manifest's promise of statelessness decides how the code is run, so it belongs to the content. */
function refuseTakenVersion({ manifest, digest }: CheckedBundle, { versions }: RegisteredBundle): void {
  const same = versions.find(({ version }) => version === manifest.version);
  if (same !== undefined && (same.digest !== digest || same.stateless !== manifest.stateless)) {
    throw new PlatformError('BUNDLE_VERSION_TAKEN', { bundle: manifest.name, version: manifest.version });
  }
}

async function inspectBundle(deps: PushDependencies, bundle: CheckedBundle, code: string, uploadedAtMs: number) {
  const { manifest, digest, sourceMap } = bundle;
  using _offer = deps.bundles.offer(digest, { code: bundle.code, sourceMap });
  const reference = { digest, name: manifest.name, version: manifest.version, uploadedAtMs, stateless: manifest.stateless };
  const result = await deps.inspect(reference, code);
  checkInspection(manifest, result);
  return result.types;
}

async function checkSteps(db: Queryable, steps: readonly WantedStep[], { tables }: Metadata): Promise<void> {
  for (const step of steps) {
    // A push declares no secret and no deployment: those are the operator's, and checked where they are set.
    const draft = { ...step, rank: step.rank ?? 1, secureConfiguration: '', supportedDeployment: SupportedDeployment.ServerOnly };
    const [violation] = checkStep(draft, { tables });
    if (violation !== undefined) throw new PlatformError(violation.code, violation.facts);
  }
  const users = new Map(steps.flatMap(({ name, runAs }) => (runAs.kind === 'user' ? [[runAs.userId, name] as const] : [])));
  for (const [userId, step] of users) await checkUser(db, step, userId);
}

async function checkUser(db: Queryable, step: string, userId: string): Promise<void> {
  const [found] = await db.query(sql`select isdisabled from airlock.systemuser where systemuserid = ${userId}::uuid`);
  if (found === undefined) throw new PlatformError('STEP_INVALID', { step, problem: `runAs: there is no user ${userId}.` });
  if (found['isdisabled'] === true) throw new PlatformError('STEP_INVALID', { step, problem: `runAs: the user ${userId} is disabled.` });
}

async function planIn(db: Queryable, bundle: AcceptedBundle, steps: readonly WantedStep[]): Promise<PushPlan> {
  const registered = await readRegistered(db, bundle.manifest.name);
  refuseTakenVersion(bundle, registered);
  const { name, version } = bundle.manifest;
  const { digest, typeNames, signature } = bundle;
  return planPush({ name, version, digest, typeNames, steps, signedBy: signature?.fingerprint }, registered);
}

function changesAnything({ changes }: PushPlan): boolean {
  return changes.some(({ action }) => action !== 'unchanged');
}

function resultOf(bundle: AcceptedBundle, plan: PushPlan, applied: boolean): PushResult {
  const { name, version } = bundle.manifest;
  const digest: BundleDigest = bundle.digest;
  return { bundle: { name, version, digest }, applied, changes: [...plan.changes], warnings: [...bundle.warnings, ...plan.warnings] };
}
