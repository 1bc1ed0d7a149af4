import type { StepOutcome } from '@airlock/protocol';
import type { DispatcherPlayer, StepOptions } from '../../services/sandbox-worker/src/test-support/dispatcher-player.ts';
import { type AssumedLimits, type HostileCase, type HostileClass, sourceMapText } from './case-list.ts';
import { classOf, GENERIC_MESSAGE, rejectedAtUpload, userMessageOf } from './classify-outcome.ts';
import { watchPeak } from './process-tree.ts';
import { CANARY, type StubService } from './stub-service.ts';

export interface CaseRunner {
  readonly player: DispatcherPlayer;
  readonly service: StubService;
  readonly workerPid: number;
  readonly limits: AssumedLimits;
}

export interface CaseResult {
  readonly seen: HostileClass;
  readonly ms: number;
  /** Empty: the case passed. */
  readonly problems: readonly string[];
}

const MIB = 1024 * 1024;
const PEAK_POLL_MS = 20;
/** What a poll of 15 ms lets an allocator gain above the limit (measured 30 MB; this machine is shared). */
const RESIDENT_SLACK_BYTES = 96 * MIB;
/** Idle children and the innocent's own: each about 20 MB that it does not share. */
const OTHERS_BYTES = 256 * MIB;
const RESPAWN_MS = 1_000;
const HAZARD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/;
const prototypeKeys = JSON.stringify(Reflect.ownKeys(Object.prototype).map(String));

const canaryCode = `module.exports = { typeName: 'Canary', async execute(ctx) {
  ctx.tracing.trace('canary');
  const row = await ctx.organizationService.retrieve('account', '00000000-0000-0000-0000-000000000001');
  if (row.attributes.name !== 'Contoso' || [2, 1].sort()[0] !== 1) throw new Error('the canary is unwell');
} };`;
const innocentCode = `module.exports = { typeName: 'Innocent', async execute(ctx) {
  for (let i = 0; i < 3; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await ctx.organizationService.retrieve('account', '00000000-0000-0000-0000-000000000001');
  }
} };`;

const stepLimits = (limits: AssumedLimits): NonNullable<StepOptions['limits']> => ({
  wallMs: limits.wallMs,
  cpuMs: limits.cpuMs,
  heapBytes: limits.isolateMemoryMB * MIB,
  residentBytes: limits.processRssMB * MIB,
  traceBytes: limits.traceBytes,
  hostCalls: limits.serviceCalls,
  hostCallsInFlight: limits.serviceInFlight,
  hostCallBytes: limits.serviceRequestBytes,
});

async function outcomeOf(player: DispatcherPlayer, step: StepOptions, depth: number): Promise<StepOutcome> {
  const { message } = await player.run([step], { depth });
  if (message.kind !== 'ran' || message.outcomes[0] === undefined) throw new Error(`the worker answered ${message.kind}`);
  return message.outcomes[0];
}

function textProblems(outcome: StepOutcome, hostile: HostileCase, limits: AssumedLimits): string[] {
  const problems: string[] = [];
  const { trace, traceTruncated, observation } = outcome;
  const stored = trace + JSON.stringify(observation.thrown ?? '');
  if (stored.includes('PWNED') || stored.includes(CANARY)) problems.push(`I5 ${trace.slice(0, 120)}`);
  if (Buffer.byteLength(trace) > limits.traceBytes + 64) problems.push(`I7 trace of ${Buffer.byteLength(trace)} bytes`);
  if (Buffer.byteLength(trace) > limits.traceBytes && !traceTruncated) problems.push('I7 not flagged');
  if (HAZARD.test(trace) || !trace.isWellFormed()) problems.push('I10 trace');
  const { thrown } = observation;
  const texts = thrown === undefined || thrown === 'unreadable' ? [] : [thrown.error.message, thrown.error.stack, thrown.rejection?.message ?? ''];
  if (texts.some((text) => HAZARD.test(text) || !text.isWellFormed())) problems.push('I10 thrown');
  const userMessage = userMessageOf(observation);
  if (classOf(observation) !== 'business-error' && userMessage !== GENERIC_MESSAGE) problems.push('I6');
  if (hostile.userMessage !== undefined && userMessage !== hostile.userMessage)
    problems.push(`user message ${JSON.stringify(userMessage.slice(0, 80))}`);
  if (userMessage.length > (hostile.maxUserMessage ?? limits.userMessageChars + 8)) problems.push(`user message of ${userMessage.length}`);
  for (const text of hostile.forbidText ?? []) if (userMessage.includes(text)) problems.push(`forbidden text ${text}`);
  return problems;
}

/** Uploads, runs (as often as the case says), and looks at everything that must hold meanwhile and afterwards. */
export async function runCase(hostile: HostileCase, runner: CaseRunner): Promise<CaseResult> {
  const { player, service, limits, workerPid } = runner;
  const problems: string[] = [];
  const startedMs = performance.now();
  const incarnation = player.hellos.at(-1)?.incarnation;
  const step: StepOptions = {
    code: hostile.code,
    limits: stepLimits(limits),
    stateless: hostile.stateless ?? false,
    ...(hostile.sourceMap === undefined ? {} : { sourceMap: sourceMapText(hostile.sourceMap) }),
  };
  const endPeak = watchPeak(workerPid, PEAK_POLL_MS);
  const firstCall = player.calls.length;
  service.reset();

  const inspection = await player.inspect(step);
  let seen: HostileClass = 'rejected-at-upload';
  const ends: { readonly executionId: string; readonly atMs: number }[] = [];
  if (!rejectedAtUpload(inspection)) {
    const innocent = outcomeOf(player, { code: innocentCode, typeName: 'Innocent' }, 2);
    for (let time = 0; time < (hostile.repeat ?? 1); time += 1) {
      const beganMs = performance.now();
      const outcome = await outcomeOf(player, { ...step, typeName: inspection.types[0]?.typeName ?? '' }, 1);
      const tookMs = performance.now() - beganMs;
      // The worker has had enough of it: what it was before counts.
      if (time > 0 && outcome.observation.throttled !== undefined) break;
      ends.push({ executionId: outcome.executionId, atMs: performance.now() });
      seen = classOf(outcome.observation);
      if (tookMs > limits.wallMs + limits.graceMs + RESPAWN_MS) problems.push(`I3 ${Math.round(tookMs)} ms`);
      problems.push(...textProblems(outcome, hostile, limits));
      const made = player.calls.filter((call) => call.executionId === outcome.executionId).length;
      if (made > Math.min(limits.serviceCalls, hostile.maxServiceCalls ?? limits.serviceCalls)) problems.push(`I9 ${made} calls`);
    }
    if (classOf((await innocent).observation) !== 'ok') problems.push('I13');
  }
  if (service.mostInFlight() > limits.serviceInFlight) problems.push(`I9 ${service.mostInFlight()} at once`);
  const canary = await outcomeOf(player, { code: canaryCode, typeName: 'Canary' }, 1);
  if (classOf(canary.observation) !== 'ok') problems.push(`I2 ${JSON.stringify(canary.observation)}`);
  const peak = endPeak();
  if (peak.largest > limits.processRssMB * MIB + RESIDENT_SLACK_BYTES) problems.push(`I4 ${Math.round(peak.largest / MIB)} MB in one process`);
  if (peak.sum > limits.processRssMB * MIB + RESIDENT_SLACK_BYTES + OTHERS_BYTES) problems.push(`I4 ${Math.round(peak.sum / MIB)} MB together`);
  const now = await player.helloThat((hello) => hello.incarnation !== '');
  if (incarnation !== undefined && now.incarnation !== incarnation) problems.push('I1');
  const calls = player.calls.slice(firstCall);
  if (calls.some(({ text }) => text.includes('PWNED') || text.includes(CANARY))) problems.push('I5 in a service call');
  for (const end of ends) if (calls.some((call) => call.executionId === end.executionId && call.atMs > end.atMs)) problems.push('I8');
  if (JSON.stringify(Reflect.ownKeys(Object.prototype).map(String)) !== prototypeKeys) problems.push('I11');
  if (seen !== hostile.expect && !hostile.alsoAccept.includes(seen)) problems.unshift('class');
  return { seen, ms: performance.now() - startedMs, problems };
}
