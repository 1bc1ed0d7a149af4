import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const HEAD_BYTES = 16 * 1024;

/** Something of the machine that a sandbox process sees, read-only. */
export type Visible =
  | { readonly kind: 'bind'; readonly from: string; readonly to: string }
  | { readonly kind: 'symlink'; readonly target: string; readonly to: string };

/**
 * The libraries of this very process: a sandbox process runs the same binary. A library is asked for by names that link to the file
 * (`libstdc++.so.6`), so each of those is made visible too.
 */
export function loadedLibraries(maps = readFileSync('/proc/self/maps', 'utf8')): Visible[] {
  const files = new Set([...maps.matchAll(/ (\/\S+\.so(?:\.\S+)?)$/gm)].map(([, file = '']) => file));
  const visible: Visible[] = [];
  for (const file of files) {
    const directory = path.dirname(file);
    const stem = path.basename(file).replace(/\.so.*$/, '.so');
    for (const name of namesIn(directory)) {
      const full = path.join(directory, name);
      if ((name.startsWith(stem) || full === file) && resolves(full) === file) visible.push({ kind: 'bind', from: file, to: full });
    }
  }
  return visible;
}

/** The program that the kernel starts for a dynamically linked one: named by its full path near the start of the file. */
export function programLoader(binary: string): Visible[] {
  const head = Buffer.alloc(HEAD_BYTES);
  const file = openSync(binary, 'r');
  const size = readSync(file, head, 0, HEAD_BYTES, 0);
  closeSync(file);
  const loader = /\0(\/[^\0]{1,200}\/ld[^\0/]*\.so[^\0/]*)\0/.exec(head.toString('latin1', 0, size))?.[1];
  const from = loader === undefined ? undefined : resolves(loader);
  const directory = loader === undefined ? undefined : resolves(path.dirname(loader));
  if (loader === undefined || from === undefined || directory === undefined) return [];
  return [{ kind: 'bind', from, to: path.join(directory, path.basename(loader)) }];
}

/** `/lib` and `/lib64` as this machine has them: links into `/usr` on most, directories on others. */
export function libraryLinks(): Visible[] {
  return ['/lib', '/lib64'].flatMap((name): Visible[] => {
    try {
      return lstatSync(name).isSymbolicLink() ? [{ kind: 'symlink', target: readlinkSync(name), to: name }] : [];
    } catch {
      return [];
    }
  });
}

/** Where the exact files are not enough (libraries in unusual places): the directories. */
export const libraryDirectories = (): Visible[] =>
  ['/lib', '/lib64', '/usr/lib', '/usr/lib64', '/usr/local/lib', '/etc/ld.so.cache'].flatMap((name): Visible[] =>
    resolves(name) === undefined ? [] : [{ kind: 'bind', from: name, to: name }],
  );

/** The one native module, and what it needs to find its binary; at the places where `require` looks for them. */
export function engineModules(): Visible[] {
  const require = createRequire(import.meta.url);
  const engine = path.dirname(require.resolve('isolated-vm/package.json'));
  const finder = path.dirname(createRequire(path.join(engine, 'package.json')).resolve('node-gyp-build/package.json'));
  return [
    { kind: 'bind', from: engine, to: engine },
    { kind: 'bind', from: finder, to: path.join(path.dirname(engine), 'node-gyp-build') },
  ];
}

export const engineFile = (): string => createRequire(import.meta.url).resolve('isolated-vm');

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function resolves(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined;
  }
}
