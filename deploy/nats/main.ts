/** `node deploy/nats/main.ts <plan.json> <directory>`: writes `nats-server.conf` and the missing keys there. See README.md. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BusPlan, configurationOf } from './plan.ts';

const [planFile, directory, ...rest] = process.argv.slice(2);
if (planFile === undefined || directory === undefined || rest.length > 0) {
  console.error('usage: node deploy/nats/main.ts <plan.json> <directory>');
  process.exitCode = 2;
} else {
  const plan = BusPlan.safeParse(JSON.parse(await readFile(planFile, 'utf8')));
  if (plan.success) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = join(directory, 'nats-server.conf');
    await writeFile(file, await configurationOf(plan.data, join(directory, 'keys')), { mode: 0o600 });
    console.log(`${file} is written; a running server takes it over with: nats-server --signal reload`);
  } else {
    console.error(`${planFile} is not valid:\n${z.prettifyError(plan.error)}`);
    process.exitCode = 1;
  }
}
