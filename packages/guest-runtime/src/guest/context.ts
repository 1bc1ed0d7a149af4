import { type Execution, remaining, traceLine } from './execution.ts';
import { show } from './inspect.ts';
import { createObject, defineProperty, freeze, jsonParse, keys, SafeTypeError } from './primordials.ts';
import { InvalidPluginExecutionException } from './rejection.ts';
import { createService } from './service.ts';

/** The three collections that a step may change. */
export interface State {
  readonly inputParameters: Record<string, unknown>;
  readonly outputParameters: Record<string, unknown>;
  readonly sharedVariables: Record<string, unknown>;
}

export interface ContextTexts {
  readonly stage: string;
  readonly state: string;
  readonly own: string;
}

interface OwnMembers {
  readonly configuration?: { readonly unsecure?: string; readonly secure?: string };
}

/** Lays the three texts over each other. */
function parseExecutionContext(texts: ContextTexts): { readonly members: Record<string, unknown>; readonly state: State; readonly own: OwnMembers } {
  const stage = jsonParse(texts.stage) as Record<string, unknown>;
  const own = jsonParse(texts.own) as Record<string, unknown> & OwnMembers;
  const state = jsonParse(texts.state) as State;
  const members = {} as Record<string, unknown>;
  layOver(members, stage);
  layOver(members, own);
  delete members['configuration'];
  members['inputParameters'] = state.inputParameters;
  members['outputParameters'] = state.outputParameters;
  members['sharedVariables'] = state.sharedVariables;
  freeze(members);
  freezeDeep(members['preEntityImages']);
  freezeDeep(members['postEntityImages']);
  freezeDeep(members['owningExtension']);
  freezeDeep(members['parentContext']);
  return { members, state, own };
}

function layOver(target: Record<string, unknown>, source: Record<string, unknown>): void {
  const names = keys(source);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] as string;
    target[name] = source[name];
  }
}

/** What is not handed back must not look as if it were: a step that writes to an image would believe it changed something. */
function freezeDeep(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  freeze(value);
  const names = keys(value);
  for (let index = 0; index < names.length; index += 1) freezeDeep((value as Record<string, unknown>)[names[index] as string]);
}

/** What `execute` gets, and the state to hand back after it. */
export function createContext(execution: Execution, texts: ContextTexts): { readonly context: object; readonly state: State } {
  const { members, state, own } = parseExecutionContext(texts);
  const trace = (...parts: unknown[]): void => {
    let line = '';
    for (let index = 0; index < parts.length; index += 1) line += (index === 0 ? '' : ' ') + show(parts[index]);
    traceOf(execution, line);
  };
  const context = {
    executionContext: members,
    preImages: members['preEntityImages'],
    postImages: members['postEntityImages'],
    organizationService: createService(execution, undefined),
    systemService: createService(execution, 'SYSTEM'),
    serviceFor: (userId: unknown): object => {
      if (typeof userId !== 'string' || userId === '') throw new SafeTypeError('serviceFor: the user id must be a text');
      return createService(execution, userId);
    },
    tracing: freeze({ trace }),
    configuration: freeze({ unsecure: own.configuration?.unsecure ?? '', secure: own.configuration?.secure ?? '' }),
    limits: limitsOf(execution),
    InvalidPluginExecutionException,
  };
  defineProperty(context, 'target', { get: () => state.inputParameters['Target'], enumerable: true, configurable: false });
  return { context: freeze(context), state };
}

function traceOf(execution: Execution, line: string): void {
  if (!execution.ended) traceLine(line);
}

function limitsOf(execution: Execution): object {
  const { wallMs, traceBytes, hostCalls, hostCallsInFlight, hostCallBytes } = execution.limits;
  return freeze({ wallMs, traceBytes, hostCalls, hostCallsInFlight, hostCallBytes, remaining: () => remaining(execution) });
}

/** The collections as they stand now, without anything a guest may have put around them. */
export function stateToReturn(state: State): object {
  const left = createObject(null) as { -readonly [Name in keyof State]: unknown };
  left.inputParameters = state.inputParameters;
  left.outputParameters = state.outputParameters;
  left.sharedVariables = state.sharedVariables;
  return left;
}
