import { EventEmitter } from 'node:events';
import { Logger, makeWorkerUtils, type Runner, run, type WorkerEvents, type WorkerUtils } from 'graphile-worker';

const silent = new Logger(() => () => undefined);
const TASK = 'bench';

/** graphile-worker with its defaults, running a no-op in this process. */
export interface JobsPeer extends AsyncDisposable {
  enqueue(count: number): Promise<void>;
  enqueueOne(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Resolves when so many more jobs have been completed than when it was called. */
  completed(count: number): Promise<void>;
  /** Hears when a task starts. */
  onStart: (() => void) | undefined;
}

class JobsPeerProcess implements JobsPeer {
  onStart: (() => void) | undefined;
  readonly #connectionString: string;
  readonly #utils: WorkerUtils;
  readonly #events: WorkerEvents = new EventEmitter();
  #runner: Runner | undefined;

  constructor(connectionString: string, utils: WorkerUtils) {
    this.#connectionString = connectionString;
    this.#utils = utils;
  }

  async enqueue(count: number): Promise<void> {
    await this.#utils.addJobs(Array.from({ length: count }, () => ({ identifier: TASK, payload: {} })));
  }

  async enqueueOne(): Promise<void> {
    await this.#utils.addJob(TASK, {});
  }

  async start(): Promise<void> {
    this.#runner ??= await run({
      connectionString: this.#connectionString,
      events: this.#events,
      logger: silent,
      noHandleSignals: true,
      parsedCronItems: [],
      taskList: { [TASK]: () => this.onStart?.() },
    });
  }

  async stop(): Promise<void> {
    const runner = this.#runner;
    this.#runner = undefined;
    await runner?.stop();
  }

  completed(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    let left = count;
    const count1 = () => {
      left -= 1;
      if (left > 0) return;
      this.#events.off('job:complete', count1);
      resolve();
    };
    this.#events.on('job:complete', count1);
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#utils.release();
  }
}

export async function openJobsPeer(connectionString: string): Promise<JobsPeer> {
  const utils = await makeWorkerUtils({ connectionString, logger: silent });
  await utils.migrate();
  return new JobsPeerProcess(connectionString, utils);
}
