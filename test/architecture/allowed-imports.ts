/** Who may import what: the layers of ARCHITECTURE.md as data. `import-rules.ts` applies it, `imports.test.ts` runs it. */

export interface Area {
  /** Folder of the area, with a slash at its end. */
  readonly folder: string;
  /** Packages of this workspace. */
  readonly workspace: readonly string[];
  /** Packages of others: exactly these, or whatever its own package.json declares (less `never`). */
  readonly external: readonly string[] | 'declared';
  /** What it imports is built into a text of its own, so `devDependencies` count as declared. */
  readonly builtIn?: true;
  readonly node: 'allowed' | 'refused';
  readonly never?: readonly string[];
  /** Workspace packages of which only types may be imported. */
  readonly typesOnly?: readonly string[];
}

const DATABASE_DRIVERS = ['postgres', 'drizzle-orm', 'pg'];

export const areas: readonly Area[] = [
  { folder: 'packages/pipeline/', workspace: [], external: [], node: 'refused' },
  { folder: 'packages/plugin-sdk/', workspace: [], external: [], node: 'refused' },
  { folder: 'packages/protocol/', workspace: ['@airlock/pipeline'], external: ['zod'], node: 'refused' },
  {
    folder: 'packages/guest-runtime/',
    workspace: ['@airlock/pipeline', '@airlock/protocol', '@airlock/plugin-sdk'],
    typesOnly: ['@airlock/pipeline', '@airlock/protocol', '@airlock/plugin-sdk'],
    external: 'declared',
    builtIn: true,
    node: 'allowed',
    never: ['isolated-vm', ...DATABASE_DRIVERS],
  },
  {
    folder: 'packages/telemetry/',
    workspace: ['@airlock/protocol'],
    typesOnly: ['@airlock/protocol'],
    external: 'declared',
    node: 'allowed',
    never: ['isolated-vm', ...DATABASE_DRIVERS],
  },
  { folder: 'packages/cli/', workspace: ['@airlock/protocol'], external: 'declared', node: 'allowed', never: ['isolated-vm', ...DATABASE_DRIVERS] },
  {
    folder: 'services/dispatcher/',
    workspace: ['@airlock/pipeline', '@airlock/protocol', '@airlock/telemetry'],
    external: 'declared',
    node: 'allowed',
    never: ['isolated-vm'],
  },
  {
    folder: 'services/egress/',
    workspace: ['@airlock/protocol', '@airlock/telemetry'],
    external: 'declared',
    node: 'allowed',
    never: ['isolated-vm', ...DATABASE_DRIVERS],
  },
  {
    folder: 'services/sandbox-worker/',
    workspace: ['@airlock/pipeline', '@airlock/protocol', '@airlock/telemetry', '@airlock/guest-runtime'],
    external: 'declared',
    node: 'allowed',
    never: DATABASE_DRIVERS,
  },
];

/** Parts of a service that speak to the outside. They never import each other's code; `main.ts` wires them. */
export const adapters: Readonly<Record<string, readonly string[]>> = {
  'services/dispatcher/src/': ['store', 'bus', 'http'],
  'services/sandbox-worker/src/': ['bus', 'engine'],
  'services/egress/src/': ['bus', 'request'],
};

/** Packages that only one folder may import: what they do stays behind one interface. */
export const confined: Readonly<Record<string, readonly string[]>> = {
  'isolated-vm': ['services/sandbox-worker/src/engine/'],
};

/** Names of the files that may read the environment. */
export const readsEnvironment: readonly string[] = ['main.ts', 'config.ts', 'admin.ts', 'bin.ts'];

/** Above this a file hides a second decision; up to it the length is only reported. */
export const MAX_FILE_LINES = 400;
export const REPORTED_FILE_LINES = 250;
