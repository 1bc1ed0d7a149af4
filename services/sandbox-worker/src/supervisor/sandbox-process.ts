import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { cleanText, FrameError, splitFrame } from '@airlock/protocol';
import type { Layers } from '../layers/layers.ts';
import { frameReader, MAX_FRAME_FROM_CHILD, PipeError, packFrame } from '../pipe/frames.ts';
import type { ToChild } from '../pipe/messages.ts';
import { ChildMessage } from './child-message.ts';
import { openUsage, type UsageReader } from './usage.ts';

export interface SandboxProcessOptions {
  /** JavaScript file of the child image. */
  readonly main: string;
  readonly jitless: boolean;
  readonly layers: Layers;
  readonly nowMs: () => number;
}

/** Who listens to a child at the moment: its start, a preparation or an execution. */
export interface ChildListener {
  readonly onMessage: (message: ChildMessage, lines: readonly string[]) => void;
  /** The pipe ended. Everything that the child wrote before was delivered. */
  readonly onGone: () => void;
  /** The child said something that no honest one says; it was killed and is gone soon. */
  readonly onViolation: (detail: string) => void;
}

/** Bundles whose code a child keeps; `child/bundles.ts` forgets the oldest in the same order. */
export const BUNDLES_PER_CHILD = 8;
const MAX_START_TEXT = 2_048;
const GONE_AFTER_KILL_MS = 500;

/** One sandbox process and its pipe. It holds nothing: no token, no subject, no address. */
export class SandboxProcess implements Disposable {
  readonly pid: number;
  readonly usage: UsageReader;
  readonly bornMs: number;
  /** The one organization whose plug-ins ever ran in it. */
  organizationId: string | undefined;
  executions = 0;
  killed = false;
  /** It has said so; from then on what it writes to stderr is a guest's, and thrown away. */
  ready = false;
  startText = '';
  gone = false;
  listener: ChildListener | undefined;
  /** Isolates that wait, by preparation key. */
  readonly prepared = new Map<string, number>();
  readonly #bundles = new Set<string>();
  readonly #process: ChildProcess;
  readonly #pipe: Duplex;

  constructor({ main, jitless, layers, nowMs }: SandboxProcessOptions) {
    // `--no-node-snapshot` is demanded by isolated-vm. The library's own isolates share the flags of the process.
    const flags = [
      '--no-node-snapshot',
      '--no-warnings',
      '--enable-sharedarraybuffer-per-context',
      '--max-old-space-size=128',
      ...(jitless ? ['--jitless'] : []),
    ];
    const { file, args } = layers.wrapCommand({ file: process.execPath, args: [...flags, main] });
    const child = spawn(file, args, {
      cwd: '/',
      env: { TZ: 'UTC', LC_ALL: 'C.UTF-8' },
      // A group of its own, so that one signal ends whatever it may have started.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    child.on('error', () => this.#ended());
    child.stderr?.on('data', (chunk: Buffer) => {
      if (!this.ready) this.startText = cleanText(this.startText + chunk.toString('utf8'), MAX_START_TEXT);
    });
    if (child.pid === undefined) throw new Error(`the sandbox process could not be started: ${file}`);
    this.pid = child.pid;
    this.bornMs = nowMs();
    this.usage = openUsage(child.pid);
    this.#process = child;
    // A `pipe` beyond the first three is a socket pair in both directions.
    this.#pipe = child.stdio[3] as Duplex;
    const read = frameReader(MAX_FRAME_FROM_CHILD, (text) => this.#receive(text));
    this.#pipe.on('data', (chunk: Buffer) => {
      try {
        read(chunk);
      } catch (error) {
        this.#violate(error instanceof PipeError ? error.message : 'a frame could not be read');
      }
    });
    this.#pipe.on('error', () => this.#pipe.destroy());
    this.#pipe.on('close', () => this.#ended());
  }

  send(envelope: ToChild, ...lines: readonly string[]): void {
    if (!this.gone && this.#pipe.writable) this.#pipe.write(packFrame([JSON.stringify(envelope), ...lines]));
  }

  /** Gives the child the code of a bundle unless it has it. */
  giveBundle(bundle: { readonly digest: string; readonly name: string; readonly uploadedAtMs: number }, codeJson: () => string): void {
    if (this.#bundles.has(bundle.digest)) return;
    this.#bundles.add(bundle.digest);
    if (this.#bundles.size > BUNDLES_PER_CHILD) this.#bundles.delete(this.#bundles.values().next().value ?? '');
    this.send({ kind: 'bundle', digest: bundle.digest, name: bundle.name, uploadedAtMs: bundle.uploadedAtMs }, codeJson());
  }

  /** SIGKILL of the process group: the only stop that every plug-in obeys. `onGone` follows. */
  kill(): void {
    if (this.killed) return;
    this.killed = true;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // It was gone already.
    }
    // The kernel takes a while to free a large process; nobody waits longer than this for what it wrote last.
    setTimeout(() => this.#pipe.destroy(), GONE_AFTER_KILL_MS).unref();
  }

  [Symbol.dispose](): void {
    this.kill();
  }

  #receive(text: string): void {
    if (this.gone) return;
    let lines: readonly string[];
    let message: ChildMessage;
    try {
      lines = splitFrame(text);
      message = ChildMessage.parse(JSON.parse(lines[0] ?? ''));
    } catch (error) {
      this.#violate(error instanceof FrameError ? error.message : 'a message of the sandbox process is not valid');
      return;
    }
    this.listener?.onMessage(message, lines);
  }

  #violate(detail: string): void {
    if (this.killed) return;
    this.kill();
    this.listener?.onViolation(detail);
  }

  #ended(): void {
    if (this.gone) return;
    this.gone = true;
    this.usage?.[Symbol.dispose]();
    // A child that closed its pipe but lives on would never be heard of again.
    this.kill();
    this.#process?.unref();
    this.listener?.onGone();
  }
}
