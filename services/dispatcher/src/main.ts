import { randomBytes } from 'node:crypto';
import { createLogger } from '@airlock/telemetry';
import { parseConfig } from './config.ts';
import { startDispatcher } from './dispatcher.ts';

const SHUTDOWN_MS = 10_000;

const config = parseConfig(process.env, { randomId: randomBytes(8).toString('hex') });
const log = createLogger({ service: 'dispatcher', level: config.logLevel });
await using dispatcher = await startDispatcher(config, log);
log.info({ ...config, databaseUrl: '[set]', natsUrl: '[set]', url: dispatcher.url }, 'dispatcher is ready');
process.stdout.write(`${JSON.stringify({ ready: true, url: dispatcher.url, dispatcherId: config.dispatcherId })}\n`);

const { promise: stopped, resolve: stop } = Promise.withResolvers<string>();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop(name));
const signal = await stopped;
log.info({ signal }, 'dispatcher is shutting down');
// What cannot end in time ends by the death of the process: Postgres rolls its transactions back.
setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
