/** `sdkmessageprocessingstep.mode`. */
export const Mode = { Synchronous: 0, Asynchronous: 1 } as const;
export type Mode = (typeof Mode)[keyof typeof Mode];
export type ModeName = keyof typeof Mode;

const modeNames = { 0: 'Synchronous', 1: 'Asynchronous' } as const satisfies Record<Mode, ModeName>;

export function modeName(mode: Mode): ModeName {
  return modeNames[mode];
}

/** `undefined`: not a mode. */
export function parseMode(value: number): Mode | undefined {
  return value === 0 || value === 1 ? value : undefined;
}

/** `pluginassembly.isolationmode`: 1 runs with full trust in a trusted worker, 2 in a sandbox. */
export const IsolationMode = { None: 1, Sandbox: 2 } as const;
export type IsolationMode = (typeof IsolationMode)[keyof typeof IsolationMode];
