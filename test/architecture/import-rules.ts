import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { type Area, adapters, areas, confined, MAX_FILE_LINES, readsEnvironment } from './allowed-imports.ts';
import { type ImportOf, readSource } from './read-source.ts';

/** Tests, and what only tests load, may import test tools and start what they test. */
const isTest = (path: string) => /\.test\.ts$|(^|\/|[.-])fixtures?\.ts$|(^|\/)(fixtures|testing|test|test-support)\//.test(path);

/** `@scope/name/sub` and `name/sub` → the package. */
const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

function relativeProblem(path: string, area: Area, { specifier, kind }: ImportOf): string | undefined {
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  if (!target.startsWith(area.folder)) return `imports ${specifier}, which is outside of ${area.folder}; packages are imported by name`;
  for (const [service, names] of Object.entries(adapters)) {
    if (!path.startsWith(service) || kind === 'type') continue;
    const from = names.find((name) => path.startsWith(`${service}${name}/`));
    const to = names.find((name) => target.startsWith(`${service}${name}/`));
    if (from !== undefined && to !== undefined && from !== to) return `is in the adapter ${from} and imports the adapter ${to} (${specifier})`;
  }
  return undefined;
}

function packageProblem(path: string, area: Area, { specifier, kind }: ImportOf, declared: ReadonlySet<string>): string | undefined {
  if (isBuiltin(specifier)) return area.node === 'allowed' || kind === 'type' ? undefined : `imports ${specifier}; this package runs without Node`;
  const name = packageOf(specifier);
  const homes = confined[name];
  if (homes !== undefined && !homes.some((home) => path.startsWith(home))) return `imports ${name}, which only ${homes.join(', ')} may`;
  if (area.never?.includes(name) === true) return `imports ${name}, which ${area.folder} never may`;
  if (name.startsWith('@airlock/')) {
    if (!area.workspace.includes(name)) return `imports ${name}; allowed are: ${area.workspace.join(', ') || 'none'}`;
    if (kind === 'value' && area.typesOnly?.includes(name) === true) return `imports values of ${name}; only its types are allowed`;
    return undefined;
  }
  const allowed = area.external === 'declared' ? declared.has(name) : area.external.includes(name);
  return allowed ? undefined : `imports ${name}, which ${area.external === 'declared' ? 'its package.json does not declare' : 'is not allowed here'}`;
}

export interface SourceFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** All that is wrong with one file, each a sentence that begins with its path. */
export function problemsOf({ path, text }: SourceFile, declared: ReadonlySet<string>): readonly string[] {
  const facts = readSource(path, text);
  const problems: string[] = [];
  if (facts.lines > MAX_FILE_LINES && !isTest(path))
    problems.push(`has ${facts.lines} lines; above ${MAX_FILE_LINES} a file is split by what it decides`);
  const area = areas.find(({ folder }) => path.startsWith(folder));
  if (area !== undefined && !isTest(path)) {
    if (facts.readsEnvironment && !readsEnvironment.includes(posix.basename(path))) {
      problems.push(`reads the environment; only ${readsEnvironment.join(', ')} may, and pass on what they parsed`);
    }
    for (const one of facts.imports) {
      const problem = one.specifier.startsWith('.') ? relativeProblem(path, area, one) : packageProblem(path, area, one, declared);
      if (problem !== undefined) problems.push(problem);
    }
  }
  return problems.map((problem) => `${path} ${problem}`);
}
