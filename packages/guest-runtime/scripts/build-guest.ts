import { createRequire } from 'node:module';
import { build } from 'esbuild';

const guest = new URL('../src/guest/', import.meta.url);
const require = createRequire(import.meta.resolve('whatwg-url'));

/** The boot script: every module under `src/guest` in one text. Deterministic for the same sources and versions. */
export async function buildGuest(): Promise<string> {
  const result = await build({
    entryPoints: [new URL('boot.ts', guest).pathname],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'neutral',
    mainFields: ['main'],
    target: 'esnext',
    charset: 'ascii',
    legalComments: 'none',
    minifyWhitespace: true,
    absWorkingDir: new URL('..', import.meta.url).pathname,
    define: { SharedArrayBuffer: 'NoSharedMemory' },
    inject: [new URL('url-parts/no-shared-memory.ts', guest).pathname],
    alias: {
      '@exodus/bytes/encoding.js': new URL('url-parts/nothing.cjs', guest).pathname,
      '@exodus/bytes/whatwg.js': new URL('url-parts/percent-encode.cjs', guest).pathname,
      tr46: new URL('url-parts/domain-to-ascii.cjs', guest).pathname,
      'tr46-tables': require.resolve('tr46'),
    },
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error('esbuild wrote no file for the guest runtime');
  return file.text;
}
