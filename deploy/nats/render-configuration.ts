/**
 * The configuration of the bus: the one that `npm start`, the tests and deployments run. Rule: a worker that is somebody
 * else's can answer only the executions that it was given. Three walls, each of them the server's and none of them ours:
 *  - an account for each pool. What crosses into the dispatchers' account is exported by the pool and imported by name, so
 *    the pool in a subject is the server's word;
 *  - an allow-list for each key. A key with a worker's id may speak and hear as that worker only;
 *  - nobody comes in without a key: there is no user for those who bring none.
 */
import { type AllowedSubjects, dispatcherSubjects, egressSubjects, poolCrossings, workerSubjects } from '@airlock/protocol';

/** Public half of an nkey: 56 characters that begin with U. */
export type PublicKey = string;

export interface PoolAccess {
  readonly pool: string;
  /** Workers that are known by name: each has a key of its own, which speaks for it alone. */
  readonly workers: readonly { readonly workerId: string; readonly key: PublicKey }[];
  /** Keys of workers without names in advance. They are one party: each could speak and hear as any worker of the pool. */
  readonly sharedKeys?: readonly PublicKey[];
}

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Set: clients must show a certificate of this authority. */
  readonly caFile?: string;
}

export interface NatsConfiguration {
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
  readonly dispatcherKeys: readonly PublicKey[];
  /** Processes that make the requests of plug-ins: in the dispatchers' account, with nothing but their own four subjects. */
  readonly egressKeys?: readonly PublicKey[];
  readonly pools: readonly PoolAccess[];
  /** Who may read the server's own events; none by default. */
  readonly systemKeys?: readonly PublicKey[];
  readonly tls?: TlsFiles;
}

/** A frame, a chunk of a bundle with its envelope included, stays below it. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;
/** A worker needs three subscriptions, a dispatcher six and those of its caches. */
const MAX_SUBSCRIPTIONS = 32;
const MAX_CONNECTIONS = 4_096;

const CORE = 'CORE';
const SYSTEM = 'SYS';

const PUBLIC_KEY = /^U[A-Z2-7]{55}$/;
const quoted = (text: string) => JSON.stringify(text);
const listed = (texts: readonly string[]) => `[${texts.map(quoted).join(', ')}]`;
const accountOf = (pool: string) => `POOL_${pool}`;

function user(key: PublicKey, { publish, subscribe }: AllowedSubjects): string {
  if (!PUBLIC_KEY.test(key)) throw new RangeError(`not the public key of a user: ${key.slice(0, 8)}… (a seed begins with S and never belongs here)`);
  return `{ nkey: ${key}, permissions: { publish: { allow: ${listed(publish)} }, subscribe: { allow: ${listed(subscribe)} } } }`;
}

function account(name: string, parts: Readonly<Record<string, readonly string[]>>): string {
  const blocks = Object.entries(parts).map(([part, lines]) => `    ${part}: [${lines.map((line) => `\n      ${line}`).join('')}\n    ]`);
  return `  ${quoted(name)}: {\n${blocks.join('\n')}\n  }`;
}

const exported = (subject: string, to: string) => `{ stream: ${quoted(subject)}, accounts: [${quoted(to)}] }`;
const imported = (subject: string, from: string) => `{ stream: { account: ${quoted(from)}, subject: ${quoted(subject)} } }`;

function poolAccount({ pool, workers, sharedKeys = [] }: PoolAccess): string {
  const { toDispatchers, toWorkers } = poolCrossings(pool);
  return account(accountOf(pool), {
    users: [
      ...workers.map(({ workerId, key }) => user(key, workerSubjects(pool, workerId))),
      ...sharedKeys.map((key) => user(key, workerSubjects(pool))),
    ],
    exports: toDispatchers.map((subject) => exported(subject, CORE)),
    imports: toWorkers.map((subject) => imported(subject, CORE)),
  });
}

/** Each stream of the pool's is exported to that pool alone: another account cannot import it, whatever its configuration says. */
function coreAccount({ dispatcherKeys, egressKeys = [], pools }: NatsConfiguration): string {
  const crossings = pools.map(({ pool }) => ({ account: accountOf(pool), ...poolCrossings(pool) }));
  return account(CORE, {
    users: [...dispatcherKeys.map((key) => user(key, dispatcherSubjects())), ...egressKeys.map((key) => user(key, egressSubjects()))],
    exports: crossings.flatMap((pool) => pool.toWorkers.map((subject) => exported(subject, pool.account))),
    imports: crossings.flatMap((pool) => pool.toDispatchers.map((subject) => imported(subject, pool.account))),
  });
}

function tlsBlock({ certFile, keyFile, caFile }: TlsFiles): string {
  const authority = caFile === undefined ? '' : `\n  ca_file: ${quoted(caFile)}\n  verify: true`;
  return `tls: {\n  cert_file: ${quoted(certFile)}\n  key_file: ${quoted(keyFile)}${authority}\n}\n`;
}

/** Throws when a name is no subject token, when a key is no public key of a user, or when one is given twice. */
export function renderNatsConfiguration(configuration: NatsConfiguration): string {
  const { host, port, serverName, dispatcherKeys, egressKeys = [], pools, systemKeys = [], tls } = configuration;
  refuseRepeated('the key', [
    ...dispatcherKeys,
    ...egressKeys,
    ...systemKeys,
    ...pools.flatMap(({ workers, sharedKeys = [] }) => [...workers.map(({ key }) => key), ...sharedKeys]),
  ]);
  refuseRepeated(
    'the pool',
    pools.map(({ pool }) => pool),
  );
  const system = account(SYSTEM, { users: systemKeys.map((key) => user(key, { publish: ['$SYS.REQ.>'], subscribe: ['$SYS.>', '_INBOX.>'] })) });
  return `# Made by deploy/nats from a list of pools, workers and public keys. It holds no secret; change the list, not this file.
host: ${quoted(host)}
port: ${port}
server_name: ${quoted(serverName)}

max_payload: ${MAX_PAYLOAD_BYTES}
max_subscriptions: ${MAX_SUBSCRIPTIONS}
max_connections: ${MAX_CONNECTIONS}
# A client that reads this little of what it is sent is cut, instead of growing the server.
max_pending: 33554432
write_deadline: "5s"
ping_interval: "5s"
ping_max: 2
authorization: { timeout: 5 }
${tls === undefined ? '' : tlsBlock(tls)}
system_account: ${SYSTEM}
accounts: {
${[system, coreAccount(configuration), ...pools.map(poolAccount)].join('\n')}
}
`;
}

function refuseRepeated(what: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new RangeError(`${what} ${twice} is given twice`);
}
