import { writeFile } from 'node:fs/promises';
import { buildGuest } from './build-guest.ts';

await writeFile(new URL('../src/generated/guest-runtime.script', import.meta.url), await buildGuest());
