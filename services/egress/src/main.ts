import { randomBytes } from 'node:crypto';
import { EGRESS_HELLO_MS } from '@airlock/protocol';
import { createLogger } from '@airlock/telemetry';
import { isGlobalUnicast } from './addresses/global-unicast.ts';
import { resolveBySystem } from './addresses/resolve.ts';
import { openEgressBus } from './bus/egress-bus.ts';
import { openConnection } from './bus/open-connection.ts';
import { parseConfig } from './config.ts';
import { perform } from './request/perform.ts';

const SHUTDOWN_MS = 10_000;

const config = parseConfig(process.env, { randomId: randomBytes(9).toString('base64url') });
const log = createLogger({ service: 'egress', level: config.logLevel });
const { allowPrivateAddresses, allowPlainHttp } = config;
await using connection = await openConnection({ url: config.natsUrl, name: `airlock-egress ${config.egressId}`, files: config.natsFiles }).then(
  (opened) => ({ opened, [Symbol.asyncDispose]: () => opened.close() }),
);
const isAllowedAddress = allowPrivateAddresses ? () => true : isGlobalUnicast;
const bus = openEgressBus({
  ...config,
  connection: connection.opened,
  log,
  perform: (order, signal) => perform(order, { resolve: resolveBySystem, isAllowedAddress, allowPlainHttp, signal, nowMs: () => performance.now() }),
});
// After the server has the subscriptions: who is told that it is ready may ask at once.
await connection.opened.flush();
bus.hello();
const heartbeat = setInterval(bus.hello, EGRESS_HELLO_MS);
if (allowPrivateAddresses)
  log.warn('AIRLOCK_EGRESS_ALLOW_PRIVATE is on: plug-ins with a grant reach addresses of this network; for development only');
log.info({ ...config, natsUrl: '[set]' }, 'egress is ready');
process.stdout.write(`${JSON.stringify({ ready: true, egressId: config.egressId })}\n`);

const { promise: stopped, resolve: stop } = Promise.withResolvers<string>();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop(name));
const signal = await stopped;
log.info({ signal }, 'egress is shutting down');
clearInterval(heartbeat);
// What cannot end in time ends with the process.
setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
await bus.drain();
