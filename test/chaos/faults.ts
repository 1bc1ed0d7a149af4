import { setTimeout as delay } from 'node:timers/promises';
import { descendantsOf } from '../hostile/process-tree.ts';
import type { ChaosSystem } from './chaos-system.ts';
import type { Random } from './random.ts';

/** One thing that goes wrong, and its end: resolves when what it broke is whole again. */
export interface Fault {
  readonly name: string;
  /** Of these, no two faults at once have the same. */
  readonly target: string;
  inject(random: Random): Promise<void>;
}

const endProcess = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
};

function faultsOfServices({ dispatchers, workers, nats, postgres }: ChaosSystem): Fault[] {
  const restart = async (service: { start(): Promise<void> }, random: Random, longestMs: number) => {
    await delay(random.whole(0, longestMs));
    await service.start();
  };
  const services = [...dispatchers, ...workers].flatMap((service): Fault[] => [
    {
      name: `SIGKILL ${service.name.replace(/-\d+$/, '')}`,
      target: service.name,
      inject: async (random) => {
        await service.kill();
        await restart(service, random, 5_000);
      },
    },
    {
      name: `SIGTERM ${service.name.replace(/-\d+$/, '')}`,
      target: service.name,
      inject: async (random) => {
        await service.terminate();
        await restart(service, random, 2_000);
      },
    },
  ]);
  const children = workers.map(
    (worker): Fault => ({
      name: 'SIGKILL sandbox child',
      target: worker.name,
      inject: async (random) => {
        const found = worker.pid === undefined ? [] : descendantsOf(worker.pid);
        if (found.length > 0) endProcess(random.pick(found));
      },
    }),
  );
  const servers: Fault[] = [
    {
      name: 'SIGKILL nats-server',
      target: nats.name,
      inject: async (random) => {
        await nats.kill();
        await restart(nats, random, 5_000);
      },
    },
    {
      name: 'SIGKILL postgres',
      target: postgres.name,
      inject: async (random) => {
        await postgres.kill();
        await restart(postgres, random, 4_000);
      },
    },
    {
      // The server ends all sessions and recovers by itself.
      name: 'SIGKILL postgres backend',
      target: postgres.name,
      inject: async (random) => {
        const found = postgres.pid === undefined ? [] : descendantsOf(postgres.pid);
        if (found.length > 0) endProcess(random.pick(found));
        await delay(1_000);
      },
    },
  ];
  // There are many links and few servers; each kind shall have its turns.
  return [...services, ...children, ...children, ...servers, ...servers];
}

function faultsOfLinks({ links }: ChaosSystem): Fault[] {
  return links.flatMap(({ name, proxy }): Fault[] => [
    { name: 'cut connections', target: name, inject: () => Promise.resolve(proxy.cut()) },
    {
      name: 'refuse connections',
      target: name,
      inject: async (random) => {
        proxy.refuse();
        proxy.cut();
        await delay(random.whole(200, 5_000));
        proxy.accept();
      },
    },
    {
      name: 'stall connections',
      target: name,
      inject: async (random) => {
        proxy.stall();
        await delay(random.whole(200, 9_000));
        proxy.resume();
      },
    },
    {
      name: 'half-open connections',
      target: name,
      inject: async (random) => {
        proxy.stall();
        await delay(random.whole(500, 15_000));
        // What was held back never arrives.
        proxy.cut();
        proxy.resume();
      },
    },
  ]);
}

export const faultsOf = (system: ChaosSystem): readonly Fault[] => [...faultsOfServices(system), ...faultsOfLinks(system)];

export interface Injected {
  readonly counts: ReadonlyMap<string, number>;
  /** What happened when, for who looks for the cause of a failed check. */
  readonly log: readonly string[];
}

export interface InjectOptions {
  /** On the monotonic clock. */
  readonly untilMs: number;
  /** Hears of each fault as it happens. */
  trace(text: string): void;
}

const AT_ONCE = 2;
const BETWEEN_MS = [300, 3_000] as const;
/** Once in a while everything is whole, as in life. */
const CALM_MS = 4_000;
const CALM_EVERY = 10;

/** Breaks things in random order until `untilMs`, then waits until each is whole again. */
export async function injectFaults(system: ChaosSystem, random: Random, { untilMs, trace }: InjectOptions): Promise<Injected> {
  const faults = faultsOf(system);
  const counts = new Map<string, number>();
  const log: string[] = [];
  const active = new Map<string, Promise<void>>();
  const startedAt = performance.now();
  const note = (text: string) => {
    const line = `${((performance.now() - startedAt) / 1_000).toFixed(1)} s ${text}`;
    log.push(line);
    trace(line);
  };
  const begin = (fault: Fault, own: Random) => {
    counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1);
    note(`${fault.name}: ${fault.target}`);
    const whole = fault.inject(own).finally(() => {
      active.delete(fault.target);
      note(`whole again: ${fault.target}`);
    });
    active.set(fault.target, whole);
  };
  for (let count = 1; performance.now() < untilMs; count++) {
    // Drawn in every round, whatever comes of it: how long things take must not move the draws.
    const [fault, own, pauseMs] = [random.pick(faults), random.fork(), random.whole(...BETWEEN_MS)];
    if (!active.has(fault.target) && active.size < AT_ONCE) begin(fault, own);
    await delay(pauseMs);
    if (count % CALM_EVERY === 0) {
      await Promise.all(active.values());
      await delay(CALM_MS);
    }
  }
  await Promise.all(active.values());
  return { counts, log };
}
