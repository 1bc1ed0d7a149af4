import { randomUUIDv7 } from 'node:crypto';
import {
  checkDepth,
  type Entity,
  type Fault,
  type ImageNeed,
  type JsonValue,
  type ParameterCollection,
  type Plan,
  planMessage,
  Stage,
  type StageState,
  sharedVariablesAfterPreValidation,
} from '@airlock/pipeline';
import { PlatformError } from '@airlock/protocol';
import { may } from '../access/may.ts';
import type { Right } from '../metadata/table.ts';
import { retrieveRecord } from '../records/read.ts';
import { recordNotFound } from '../records/write.ts';
import type { OperationTransaction } from '../store/operation-transaction.ts';
import type { Queryable } from '../store/queryable.ts';
import { checkFence, holdFence } from '../system-jobs/fence.ts';
import { queueJobs } from '../system-jobs/queue-jobs.ts';
import { executionEnded, faultOfError, isDooming } from './fault-of.ts';
import { JOB_TABLE, mainOperation } from './main-operation.ts';
import type { MessageRequest, MessageResponse } from './message.ts';
import type { Operation } from './operation.ts';
import { runStage, type StageEnd } from './run-stage.ts';
import type { Images, MessageFrame } from './stage-context.ts';

const rights: Readonly<Record<string, Right>> = { Create: 'create', Update: 'write', Delete: 'delete', Retrieve: 'read', RetrieveMultiple: 'read' };

/** A step ended the message; carries its fault to where the transaction is taken back. */
class Cancelled extends Error {
  override readonly name = 'Cancelled';
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

/**
 * One message through the pipeline: PreValidation, privilege check, then in a transaction (nested: in a savepoint of the
 * one that is open) PreOperation, the operation itself, PostOperation. Never throws.
 */
export async function runMessage(op: Operation, request: MessageRequest): Promise<MessageResponse> {
  try {
    if (request.signal?.aborted === true) throw executionEnded();
    const depth = (request.parent?.depth ?? 0) + 1;
    checkMessageDepth(op, request, depth);
    const settled = await settle(op, request);
    const outputParameters = await runPipeline(op, settled, depth);
    return {
      ok: true,
      outputParameters: settled.created === undefined ? outputParameters : { ...outputParameters, id: settled.id, created: settled.created },
      traceId: op.trace.traceId,
    };
  } catch (error) {
    const fault = error instanceof Cancelled ? error.fault : faultOfError(op, error);
    if (isDooming(fault)) op.doomed ??= fault;
    return { ok: false, fault };
  }
}

function checkMessageDepth(op: Operation, request: MessageRequest, depth: number): void {
  const decision = checkDepth({
    depth,
    limit: op.registrations.settings.maxDepth,
    messageName: request.messageName,
    tableName: request.table.logicalName,
    parent: request.parent ?? null,
  });
  if (!decision.allowed) throw new PlatformError(decision.code, decision.facts);
}

/** A request whose message and row are known: Upsert has become Create or Update, and a row to be created has its id. */
interface Settled {
  readonly request: MessageRequest;
  readonly messageName: string;
  readonly id: string;
  /** Of an Upsert. */
  readonly created?: boolean;
  readonly inputParameters: ParameterCollection;
}

async function settle(op: Operation, request: MessageRequest): Promise<Settled> {
  const { messageName, inputParameters } = request;
  const target = inputParameters['Target'] as unknown as Entity | undefined;
  if (messageName === 'Upsert' && target?.id !== undefined) {
    const found = await retrieveRecord(op.transaction ?? op.admission.queryable, request.table, target.id, []);
    const created = found === undefined;
    return { request, messageName: created ? 'Create' : 'Update', id: target.id, created, inputParameters };
  }
  if (messageName !== 'Create') return { request, messageName, id: target?.id ?? '', inputParameters };
  // The id is chosen before the first step, so that every stage knows which row it speaks of.
  const given = target?.id ?? target?.attributes[request.table.primaryIdAttribute];
  const id = typeof given === 'string' ? given : randomUUIDv7();
  return { request, messageName, id, inputParameters: { ...inputParameters, Target: { ...target, id } as unknown as JsonValue } };
}

async function runPipeline(op: Operation, settled: Settled, depth: number): Promise<ParameterCollection> {
  const { request, messageName } = settled;
  const plan = planMessage(op.registrations.index, {
    messageName,
    tableName: request.table.logicalName,
    customStepsAllowed: request.table.customStepsAllowed,
    requestColumns: requestColumnsOf(settled),
  });
  const tag: ParameterCollection = request.tag === undefined ? {} : { tag: request.tag };
  const first: StageState = { inputParameters: settled.inputParameters, outputParameters: {}, sharedVariables: tag };
  const frame: MessageFrame = { request, messageName, primaryEntityId: settled.id === '' ? null : settled.id, depth, preValidationShared: tag };
  const validated = await preValidation(op, frame, plan, first);
  requirePrivilege(op, request, messageName);
  if (request.signal?.aborted === true) throw executionEnded();
  const state: StageState = { ...validated, sharedVariables: sharedVariablesAfterPreValidation(messageName, validated.sharedVariables) };
  const inner: Inner = { frame: { ...frame, preValidationShared: validated.sharedVariables }, plan, state, id: settled.id };
  return op.transaction === undefined ? await inTransaction(op, inner) : await inSavepoint(op, op.transaction, inner);
}

function requestColumnsOf({ inputParameters }: Settled): readonly string[] {
  const target = inputParameters['Target'] as unknown as Partial<Entity> | undefined;
  return Object.keys(target?.attributes ?? {});
}

/** Outside of any transaction of its own, and before the privilege check (statements 20 and 33). */
async function preValidation(op: Operation, frame: MessageFrame, plan: Plan, state: StageState): Promise<StageState> {
  if (plan.preValidation.length === 0) return state;
  const db = op.transaction ?? op.admission.queryable;
  const pre = await readImage(db, frame, plan.images.preValidation, { forUpdate: false });
  return stateOf(await runStage(op, frame, { stage: Stage.PreValidation, steps: plan.preValidation, state, images: { pre, post: undefined } }));
}

function requirePrivilege(op: Operation, { table, caller }: MessageRequest, messageName: string): void {
  const right = rights[messageName];
  if (right === undefined) throw new PlatformError('MESSAGE_NOT_SUPPORTED', { message: messageName, table: table.logicalName });
  if (!may(caller.role, table, right)) {
    throw new PlatformError('PRIVILEGE_DENIED', { user: caller.userId, role: caller.role, right, table: table.logicalName });
  }
}

interface Inner {
  readonly frame: MessageFrame;
  readonly plan: Plan;
  readonly state: StageState;
  readonly id: string;
}

function stateOf(end: StageEnd): StageState {
  if (!end.ok) throw new Cancelled(end.fault);
  return end.state;
}

function refuseIfDoomed(op: Operation): void {
  if (op.doomed !== undefined) throw new Cancelled(op.doomed);
}

async function inTransaction(op: Operation, inner: Inner): Promise<ParameterCollection> {
  refuseIfDoomed(op);
  if (isPlainRead(inner)) return await plainRead(op, inner);
  const transaction = op.admission.begin();
  op.transaction = transaction;
  op.afterCommit = [];
  try {
    if (op.fence !== undefined) await holdFence(transaction, op.fence);
    const outputs = await insideTransaction(op, transaction, inner);
    refuseIfDoomed(op);
    if (!transaction.ended) await transaction.commit();
    for (const effect of op.afterCommit) effect();
    return outputs;
  } catch (error) {
    await transaction.rollBack();
    throw error;
  } finally {
    op.transaction = undefined;
  }
}

async function plainRead(op: Operation, inner: Inner): Promise<ParameterCollection> {
  const db = op.admission.queryable;
  const main = runMain(op, db, inner, inner.state);
  if (op.fence === undefined) return (await main).outputParameters;
  const [{ outputParameters }] = await Promise.all([main, checkFence(db, op.fence)]);
  return outputParameters;
}

async function inSavepoint(op: Operation, transaction: OperationTransaction, inner: Inner): Promise<ParameterCollection> {
  const savepoint = transaction.savepoint();
  const effects = op.afterCommit.length;
  try {
    const outputs = await insideSavepoint(op, transaction, inner);
    savepoint.release();
    return outputs;
  } catch (error) {
    op.afterCommit.length = effects;
    await savepoint.rollBack();
    throw error;
  }
}

function isPlainRead({ frame, plan }: Inner): boolean {
  const read = frame.messageName === 'Retrieve' || frame.messageName === 'RetrieveMultiple';
  return read && plan.preOperation.length === 0 && plan.postOperation.length === 0 && plan.asynchronous.length === 0;
}

async function insideSavepoint(op: Operation, transaction: OperationTransaction, inner: Inner): Promise<ParameterCollection> {
  const before = await preOperation(op, transaction, inner);
  const after = await postOperation(op, transaction, inner, before);
  await queue(op, transaction, inner, after);
  return after.state.outputParameters;
}

/** The last statement travels with the COMMIT: the operation itself, or the one that queues its system jobs. */
async function insideTransaction(op: Operation, transaction: OperationTransaction, inner: Inner): Promise<ParameterCollection> {
  const before = await preOperation(op, transaction, inner);
  const { plan } = inner;
  if (plan.postOperation.length > 0 || plan.asynchronous.length > 0) {
    const after = await postOperation(op, transaction, inner, before);
    refuseIfDoomed(op);
    if (plan.asynchronous.length > 0) await queue(op, transaction.lastStatement(op.admission.queryable), inner, after);
    return after.state.outputParameters;
  }
  refuseIfDoomed(op);
  const isJob = inner.frame.request.table.logicalName === JOB_TABLE;
  // A job is read, decided about and written: the first of these statements is not the last.
  const { outputParameters } = await runMain(op, isJob ? transaction : transaction.lastStatement(op.admission.queryable), inner, before.state);
  const { id } = inner;
  if (isJob) op.afterCommit.push(() => op.deps.jobsChanged([id]));
  return outputParameters;
}

async function queue(op: Operation, db: Queryable, { frame, plan }: Inner, { state, images }: AfterMain): Promise<void> {
  if (plan.asynchronous.length > 0) await queueJobs(op, db, frame, { steps: plan.asynchronous, state, images });
}

interface BeforeMain {
  readonly state: StageState;
  readonly pre: Entity | undefined;
}

interface AfterMain {
  readonly state: StageState;
  readonly images: Images;
}

async function preOperation(op: Operation, transaction: OperationTransaction, { frame, plan, state }: Inner): Promise<BeforeMain> {
  const pre = await readImage(transaction, frame, plan.images.pre, { forUpdate: true });
  if (plan.preOperation.length === 0) return { state, pre };
  const end = await runStage(op, frame, { stage: Stage.PreOperation, steps: plan.preOperation, state, images: { pre, post: undefined } });
  return { state: stateOf(end), pre };
}

async function postOperation(op: Operation, transaction: OperationTransaction, inner: Inner, { state, pre }: BeforeMain): Promise<AfterMain> {
  const { frame, plan } = inner;
  const { outputParameters, postImage } = await runMain(op, transaction, inner, state);
  const after: StageState = { ...state, outputParameters };
  const images: Images = { pre, post: postImage };
  if (plan.postOperation.length === 0) return { state: after, images };
  return { state: stateOf(await runStage(op, frame, { stage: Stage.PostOperation, steps: plan.postOperation, state: after, images })), images };
}

async function runMain(op: Operation, db: Queryable, { frame, plan }: Inner, state: StageState) {
  const need = plan.images.post;
  return await mainOperation(db, {
    metadata: op.metadata,
    messageName: frame.messageName,
    table: frame.request.table,
    state,
    actor: frame.request.caller.userId,
    ...(need !== undefined && { postImage: need.columns ?? 'all' }),
  });
}

/** A pre-image that a write follows locks the row: what a step decides by it is still true when the row is written. */
async function readImage(
  db: Queryable,
  frame: MessageFrame,
  need: ImageNeed | undefined,
  options: { readonly forUpdate: boolean },
): Promise<Entity | undefined> {
  if (need === undefined || frame.primaryEntityId === null) return undefined;
  const { table } = frame.request;
  const row = await retrieveRecord(db, table, frame.primaryEntityId, need.columns, options);
  if (row === undefined) throw recordNotFound(table, frame.primaryEntityId);
  return row;
}
