import { Socket } from 'node:net';
import { BUNDLE_LINE_OFFSET } from '@airlock/guest-runtime';
import type { Guest } from '../engine/engine.ts';
import { createEngine } from '../engine/isolated-vm.ts';
import { frameReader, MAX_FRAME_TO_CHILD, packFrame } from '../pipe/frames.ts';
import type { FromChild, InspectOrder, ToChild } from '../pipe/messages.ts';
import { mapScriptFor } from '../source-maps/map-script.ts';
import { bundleFileName, createBundles } from './bundles.ts';
import { type RunningExecution, startExecution } from './execution.ts';
import { checkSelf } from './self-check.ts';

/**
 * The sandbox process: assumed to be in the hands of whoever wrote the plug-in. It has one pipe and no environment, no
 * token, no address; it runs one execution at a time and is ended by SIGKILL whenever its supervisor likes.
 */
const PIPE_FD = 3;
const MAP_TIMEOUT_MS = 800;
const MAP_HEAP_BYTES = 128 * 1024 * 1024;

const pipe = new Socket({ fd: PIPE_FD, readable: true, writable: true });
const nowMs = (): number => performance.now();
const send = (message: FromChild, ...lines: readonly string[]): void => {
  pipe.write(packFrame([JSON.stringify(message), ...lines]));
};

const engine = createEngine({ nowMs, onCatastrophe: (reason) => send({ kind: 'fatal', reason }) });
const bundles = createBundles(engine);
const kept = new Map<string, Guest>();
const mapScript = mapScriptFor(BUNDLE_LINE_OFFSET);
let running: RunningExecution | undefined;

function inspect(order: InspectOrder): void {
  const bundle = bundles.get(order.digest);
  const say = (end: 'done' | 'heap' | 'deadline' | 'protocol', detail: string, answer: string): void =>
    send({ kind: 'inspected', run: order.run, end, detail }, answer);
  if (bundle === undefined) return say('protocol', 'the sandbox process has no such bundle', '');
  const opened = bundles.open(bundle, order.heapBytes, order.wallMs);
  if ('failure' in opened) return say(opened.failure === 'failed' ? 'protocol' : opened.failure, 'while the bundle was loaded', '');
  if ('broke' in opened) {
    const fileName = bundleFileName(bundle.name);
    const where = opened.broke === 'not-parseable' ? engine.syntaxErrorOf(bundle.code, fileName, order.heapBytes, order.wallMs) : undefined;
    return say('done', where ?? '', JSON.stringify({ ok: false, broke: opened.broke, thrown: opened.thrown }));
  }
  const types = opened.guest.types(order.wallMs);
  opened.guest.dispose();
  if ('failure' in types) return say(types.failure === 'failed' ? 'protocol' : types.failure, 'while the types were read', '');
  return say('done', '', types.answer);
}

function receive(text: string): void {
  const lines = text.split('\n');
  // From the supervisor, which this process has no reason to doubt.
  const message = JSON.parse(lines[0] ?? '') as ToChild;
  switch (message.kind) {
    case 'bundle':
      return bundles.add({
        digest: message.digest,
        name: message.name,
        uploadedAtMs: message.uploadedAtMs,
        code: JSON.parse(lines[1] ?? '""') as string,
      });
    case 'prepare':
      void bundles
        .prepare(message.digest, message.heapBytes, message.count)
        .then((count) => send({ kind: 'prepared', digest: message.digest, count }));
      return;
    case 'run':
      running = startExecution(message, lines, { bundles, engine, nowMs, send, kept }, () => {
        running = undefined;
      });
      return;
    case 'answer':
      if (running?.run === message.run) running.answer(message.callId, message.ok, lines[1] ?? 'null');
      return;
    case 'inspect':
      return inspect(message);
    case 'map': {
      const mapped = engine.evaluateText(
        mapScript,
        [JSON.parse(lines[1] ?? '""') as string, JSON.parse(lines[2] ?? '""') as string],
        MAP_HEAP_BYTES,
        MAP_TIMEOUT_MS,
      );
      return send({ kind: 'mapped', run: message.run }, JSON.stringify(mapped ?? ''));
    }
    default:
      message satisfies never;
  }
}

pipe.on('data', frameReader(MAX_FRAME_TO_CHILD, receive));
// A supervisor that is gone leaves nobody to run for. `process.exit` would wait for ever for a guest in an uninterruptible builtin.
const end = (): void => {
  try {
    process.kill(process.pid, 'SIGKILL');
  } catch {
    // Refused by the layer that ends this process with its parent.
  }
};
pipe.on('close', end);
pipe.on('error', end);
const [, , imageDirectory = '', network] = process.argv;
void checkSelf({ imageDirectory, network: network === 'try' ? 'try' : 'leave', environment: Object.keys(process.env) }).then((found) =>
  send({ kind: 'ready', found }),
);
