import type {
  AuditRow,
  BundleUpload,
  EgressGrant,
  IssuedKey,
  JobActionRequest,
  JobActionResult,
  JobDetail,
  NewEgressGrant,
  NewKey,
  NewSigningKey,
  NewUser,
  PushResult,
  Settings,
  SigningKey,
  StepPatch,
  StepSummary,
  TableDefinition,
} from '@airlock/protocol';
import type { TraceContext } from '@airlock/telemetry';
import type { z } from 'zod';
import type { Caller } from '../execute-message/message.ts';
import type { JobActionName } from '../system-jobs/bulk-action.ts';

/** Who asks and in which trace, for audit rows and logs. */
export interface AirlockCall {
  readonly caller: Caller;
  readonly trace: TraceContext;
}

/**
 * What the routes below `/api/airlock/v1/` delegate to. Input is checked by its schema and the caller's role by the route;
 * an expected refusal is a thrown PlatformError. What a function returns is sent as JSON.
 */
export interface AirlockApi {
  readonly pushBundle: (call: AirlockCall, upload: z.output<typeof BundleUpload>, options: { readonly plan: boolean }) => Promise<PushResult>;
  readonly listBundles: (call: AirlockCall) => Promise<readonly unknown[]>;
  /** Without a version: all of them. */
  readonly removeBundle: (call: AirlockCall, bundle: { readonly name: string; readonly version?: string }) => Promise<void>;
  readonly registerSigningKey: (call: AirlockCall, request: NewSigningKey) => Promise<SigningKey>;
  readonly listSigningKeys: (call: AirlockCall) => Promise<readonly SigningKey[]>;
  readonly revokeSigningKey: (call: AirlockCall, id: string) => Promise<void>;
  readonly readAudit: (call: AirlockCall, query: AuditQuery) => Promise<readonly AuditRow[]>;
  readonly grantEgress: (call: AirlockCall, stepId: string, request: NewEgressGrant) => Promise<EgressGrant>;
  readonly listEgressGrants: (call: AirlockCall, stepId: string) => Promise<readonly EgressGrant[]>;
  readonly revokeEgressGrant: (call: AirlockCall, stepId: string, grantId: string) => Promise<void>;
  readonly readEgressLog: (call: AirlockCall, query: EgressLogQuery) => Promise<readonly unknown[]>;
  readonly listSteps: (call: AirlockCall) => Promise<readonly StepSummary[]>;
  readonly listPluginTypes: (call: AirlockCall) => Promise<readonly unknown[]>;
  readonly patchStep: (call: AirlockCall, stepId: string, patch: StepPatch) => Promise<void>;
  readonly setSecureConfiguration: (call: AirlockCall, stepId: string, value: string) => Promise<void>;
  /** With `plan` nothing changes; the answer holds the SQL either way. */
  readonly defineTable: (call: AirlockCall, definition: z.output<typeof TableDefinition>, options: { readonly plan: boolean }) => Promise<unknown>;
  readonly getSettings: (call: AirlockCall) => Promise<Settings>;
  readonly patchSettings: (call: AirlockCall, patch: SettingsPatch) => Promise<Settings>;
  readonly createUser: (call: AirlockCall, user: NewUser) => Promise<{ readonly systemuserid: string }>;
  readonly issueKey: (call: AirlockCall, request: z.output<typeof NewKey>) => Promise<IssuedKey>;
  readonly revokeKey: (call: AirlockCall, keyId: string) => Promise<void>;
  readonly actOnJobs: (call: AirlockCall, action: JobActionName, request: JobActionRequest) => Promise<JobActionResult>;
  readonly readJob: (call: AirlockCall, jobId: string) => Promise<JobDetail>;
  readonly listWorkers: (call: AirlockCall) => Promise<unknown>;
  readonly listTraces: (call: AirlockCall, traceId: string) => Promise<readonly unknown[]>;
}

export interface AuditQuery {
  readonly objectType?: string | undefined;
  readonly objectId?: string | undefined;
  readonly top: number;
  /** Id of the last row of the page before. */
  readonly before?: string | undefined;
}

export interface EgressLogQuery {
  readonly stepId?: string | undefined;
  readonly top: number;
  /** Id of the last row of the page before. */
  readonly before?: string | undefined;
}

export type SettingsPatch = { readonly [Name in keyof Settings]?: Settings[Name] | undefined };
