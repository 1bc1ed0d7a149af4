import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { cleanText, FrameError, splitFrame } from '@airlock/protocol';
import { brokenLayer, lookFromOutside } from '../layers/check-layers.ts';
import { INFO_FD, type Layers, nodeFlags } from '../layers/layer.ts';
import { frameReader, MAX_FRAME_FROM_CHILD, PipeError, packFrame } from '../pipe/frames.ts';
import type { ToChild } from '../pipe/messages.ts';
import { ChildMessage } from './child-message.ts';
import { lateUsage, openUsage, type UsageReader } from './usage.ts';

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
  /** What was started; the sandbox process itself may be a child of it. */
  readonly pid: number;
  readonly usage: UsageReader & { readonly open: (usage: UsageReader) => void } = lateUsage();
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
  readonly #layers: Layers;
  #info = '';
  #sandboxPid: number | undefined;
  /** What it said when it was ready, until its number is known. */
  #readyMessage: Extract<ChildMessage, { kind: 'ready' }> | undefined;

  constructor({ main, jitless, layers, nowMs }: SandboxProcessOptions) {
    this.#layers = layers;
    const promisesNoNetwork = layers.names.includes('bwrap') || layers.names.includes('unshare');
    const { file, args } = layers.wrapCommand({
      file: process.execPath,
      args: [...nodeFlags(jitless), main, path.dirname(main), promisesNoNetwork ? 'try' : 'leave'],
    });
    const filter = layers.filterFile === undefined ? undefined : openSync(layers.filterFile, 'r');
    const child = spawn(file, args, {
      cwd: '/',
      env: { TZ: 'UTC', LC_ALL: 'C.UTF-8' },
      // A group of its own, so that one signal ends whatever it may have started.
      detached: true,
      // After the pipe: INFO_FD and FILTER_FD.
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', ...(layers.pidComesLater ? ['pipe' as const] : []), ...(filter === undefined ? [] : [filter])],
    });
    if (filter !== undefined) closeSync(filter);
    child.on('error', () => this.#ended());
    child.stderr?.on('data', (chunk: Buffer) => {
      if (!this.ready) this.startText = cleanText(this.startText + chunk.toString('utf8'), MAX_START_TEXT);
    });
    if (child.pid === undefined) throw new Error(`the sandbox process could not be started: ${file}`);
    this.pid = child.pid;
    this.bornMs = nowMs();
    this.#process = child;
    if (layers.pidComesLater) (child.stdio[INFO_FD] as Duplex).on('data', (chunk: Buffer) => this.#learnPid(chunk)).on('error', () => {});
    else this.#found(child.pid);
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

  /** What was started has ended: whatever may still be in the pipe, it takes no more work. */
  get hasExited(): boolean {
    return this.gone || this.#process.exitCode !== null || this.#process.signalCode !== null;
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
    if (message.kind === 'ready' && !this.ready) {
      this.#readyMessage = message;
      this.#checkLayers();
      return;
    }
    this.listener?.onMessage(message, lines);
  }

  /** bubblewrap's `{"child-pid": 123, …}`; it may come in pieces. */
  #learnPid(chunk: Buffer): void {
    if (this.#info.length < MAX_START_TEXT) this.#info += chunk.toString('latin1');
    const pid = Number(/"child-pid"\s*:\s*(\d+)\s*,/.exec(this.#info)?.[1]);
    if (this.#sandboxPid === undefined && pid > 0) this.#found(pid);
  }

  #found(pid: number): void {
    this.#sandboxPid = pid;
    try {
      this.usage.open(openUsage(pid));
    } catch {
      // It is gone already, and its pipe says so.
    }
    this.#checkLayers();
  }

  /** Ready is who says so and is as confined as this worker claims (I15). */
  #checkLayers(): void {
    if (this.#readyMessage === undefined || this.#sandboxPid === undefined || this.gone) return;
    let problem: string | undefined;
    try {
      problem = brokenLayer(this.#layers.names, this.#readyMessage.found, lookFromOutside(this.#sandboxPid));
    } catch {
      problem = 'it could not be looked at';
    }
    if (problem !== undefined) return this.#violate(`a layer of the operating system does not hold: ${problem}`);
    this.listener?.onMessage(this.#readyMessage, []);
  }

  #violate(detail: string): void {
    if (this.killed) return;
    this.kill();
    this.listener?.onViolation(detail);
  }

  #ended(): void {
    if (this.gone) return;
    this.gone = true;
    this.usage[Symbol.dispose]();
    // A child that closed its pipe but lives on would never be heard of again.
    this.kill();
    this.#process?.unref();
    this.listener?.onGone();
  }
}
