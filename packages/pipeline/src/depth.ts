import type { ExecutionContext } from './context.ts';

/** Calls for one correlation that may be nested in each other before the platform takes them for a loop (statement 22). */
export const DEFAULT_MAX_DEPTH = 8;

export interface DepthRequest {
  /** Of the new message: 1 for a caller's own, the parent's plus 1 for a service call. */
  readonly depth: number;
  readonly limit: number;
  readonly messageName: string;
  readonly tableName: string;
  /** The context of the step that makes the call. */
  readonly parent: ExecutionContext | null;
}

export type DepthDecision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly code: 'PIPELINE_DEPTH_EXCEEDED'; readonly facts: { readonly limit: number; readonly chain: string } };

/** Refused is the first call whose own depth is greater than the limit: with 8, the ninth. The chain shows who called whom. */
export function checkDepth(request: DepthRequest): DepthDecision {
  if (request.depth <= request.limit) return { allowed: true };
  return { allowed: false, code: 'PIPELINE_DEPTH_EXCEEDED', facts: { limit: request.limit, chain: chainOf(request) } };
}

const ARROW = ' → ';
const MAX_LINKS = 16;
const MAX_STEP_NAME_CHARS = 80;

function chainOf({ messageName, tableName, parent }: DepthRequest): string {
  const links: string[] = [`${messageName} ${tableName}`];
  let depth = Number.POSITIVE_INFINITY;
  for (let context = parent; context !== null && links.length < MAX_LINKS; context = context.parentContext) {
    // Later stages see their own operation once more as parent (statement 26); only the step that called is a link.
    if (context.depth >= depth) continue;
    depth = context.depth;
    links.push(linkOf(context));
  }
  return links.reverse().join(ARROW);
}

function linkOf({ messageName, primaryEntityName, owningExtension }: ExecutionContext): string {
  const name = (owningExtension.name ?? owningExtension.id).slice(0, MAX_STEP_NAME_CHARS).toWellFormed();
  return `${messageName} ${primaryEntityName} (step ${name})`;
}
