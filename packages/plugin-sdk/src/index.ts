export { PluginDeclarationError } from './declaration-error.ts';
export { definePlugin, type Plugin, type PluginDeclaration } from './define-plugin.ts';
export {
  type Attributes,
  type AttributeValue,
  type ChangedColumn,
  changedColumns,
  type Entity,
  type EntityImage,
  type EntityReference,
  isEntityReference,
  type JsonValue,
  type ParameterCollection,
} from './entity.ts';
export type { ExecutionContext } from './execution-context.ts';
export {
  InvalidPluginExecutionException,
  type InvalidPluginExecutionExceptionConstructor,
  type RejectionOptions,
} from './invalid-plugin-execution-exception.ts';
export { OperationStatus } from './operation-status.ts';
export type {
  ConditionOperator,
  EntityCollection,
  OrganizationService,
  QueryCondition,
  QueryExpression,
  WriteOptions,
} from './organization-service.ts';
export { OrganizationServiceFault, type OrganizationServiceFaultConstructor, type ServiceFault } from './organization-service-fault.ts';
export type { ExecutionLimits, PluginContext, PostImagesOf, PreImagesOf, StepConfiguration, TargetOf, TracingService } from './plugin-context.ts';
export { PluginHttpStatusCode } from './plugin-http-status-code.ts';
export type { ImageDeclaration, MessageName, ModeName, StageName, StepDeclaration, StepLimits } from './step-declaration.ts';
