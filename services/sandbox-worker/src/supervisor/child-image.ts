import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The program of the sandbox processes, as plain JavaScript in a directory of its own. Two reasons: under `--jitless`
 * there is no WebAssembly, so Node cannot strip types there; and a layer of the operating system has one small directory
 * to make visible instead of the repository. It also saves each new process the stripping.
 */
export interface ChildImage extends Disposable {
  /** The file to start. */
  readonly main: string;
  readonly directory: string;
}

const IMPORT = /(\bfrom\s+|\bimport\s+)'([^']+)'/g;
/** A file that a module reads from beside itself. */
const DATA_FILE = /new URL\('(\.{1,2}\/[^']+)', import\.meta\.url\)/g;
const root = fileURLToPath(new URL('../', import.meta.url));

export function buildChildImage(): ChildImage {
  const directory = mkdtempSync(path.join(tmpdir(), 'airlock-child-'));
  // The program is no secret, and a layer may start it as another user.
  chmodSync(directory, 0o755);
  writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}\n');
  const done = new Set<string>();

  const copy = (file: string): string => {
    const target = path.join(directory, placeOf(file));
    if (done.has(file)) return target;
    done.add(file);
    const source = readFileSync(file, 'utf8');
    const script = file.endsWith('.ts') ? stripTypeScriptTypes(source, { mode: 'strip' }) : source;
    const rewritten = script.replace(IMPORT, (_, keyword: string, name: string) => `${keyword}'${place(name, file, target)}'`);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, rewritten);
    for (const [, name = ''] of script.matchAll(DATA_FILE)) {
      const data = path.resolve(path.dirname(target), name);
      mkdirSync(path.dirname(data), { recursive: true });
      copyFileSync(path.resolve(path.dirname(file), name), data);
    }
    return target;
  };
  const place = (name: string, from: string, target: string): string => {
    if (name.startsWith('node:')) return name;
    const ours = name.startsWith('.') ? path.resolve(path.dirname(from), name) : resolved(name);
    // Anything but our own modules stays where it is installed.
    if (!name.startsWith('.') && !name.startsWith('@airlock/')) return `file://${ours}`;
    const relative = path.relative(path.dirname(target), copy(ours));
    return relative.startsWith('.') ? relative : `./${relative}`;
  };

  return {
    main: copy(path.join(root, 'child/main.ts')),
    directory,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

const resolved = (name: string): string => fileURLToPath(import.meta.resolve(name));

/** Our own sources keep their place below `src`; those of a workspace package go below `packages`. */
function placeOf(file: string): string {
  const inside = path.relative(root, file);
  const [, packageFile] = inside.startsWith('..') ? (/\/packages\/(.+)$/.exec(file) ?? []) : [];
  return (packageFile === undefined ? inside : path.join('packages', packageFile)).replace(/\.ts$/, '.js');
}
