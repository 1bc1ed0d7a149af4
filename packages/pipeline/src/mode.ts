/** `sdkmessageprocessingstep.mode`. */
export const Mode = { Synchronous: 0, Asynchronous: 1 } as const;
export type Mode = (typeof Mode)[keyof typeof Mode];

/** `pluginassembly.isolationmode`: 1 runs with full trust in a trusted worker, 2 in a sandbox. */
export const IsolationMode = { None: 1, Sandbox: 2 } as const;
export type IsolationMode = (typeof IsolationMode)[keyof typeof IsolationMode];
