import { closeSync, fstatSync, openSync, statSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import type { FoundInside } from '../layers/check-layers.ts';

/** A documentation address: nobody has it, and without a network the attempt fails before a packet is made. */
const ADDRESS = { host: '192.0.2.1', port: 9 };
const NETWORK_TIMEOUT_MS = 250;
const GIVEN_DESCRIPTORS = [0, 1, 2, 3];
const LAST_DESCRIPTOR = 63;

export interface SelfCheck {
  readonly imageDirectory: string;
  /** `try` when a layer promises that there is none. */
  readonly network: 'try' | 'leave';
  /** Names of the variables. */
  readonly environment: readonly string[];
}

/** What this process finds out about its own confinement, before any code of others is in it. */
export async function checkSelf({ imageDirectory, network, environment }: SelfCheck): Promise<FoundInside> {
  const places = ['/', '/tmp', '/dev/shm', '/var/tmp', '/proc', imageDirectory];
  return {
    network: network === 'try' ? await tryNetwork() : 'untried',
    writable: places.filter(canWrite),
    environment: environment.slice(0, 16),
    descriptors: strangeDescriptors(),
  };
}

function tryNetwork(): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(ADDRESS);
    const done = (found: string): void => {
      socket.destroy();
      resolve(found);
    };
    socket.setTimeout(NETWORK_TIMEOUT_MS, () => done('open'));
    socket.on('connect', () => done('open'));
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'an unknown error'));
  });
}

function canWrite(directory: string): boolean {
  const file = path.join(directory, `.airlock-${process.pid}`);
  try {
    closeSync(openSync(file, 'wx'));
  } catch {
    return false;
  }
  try {
    unlinkSync(file);
  } catch {
    // Written all the same.
  }
  return true;
}

/** Node's own further descriptors are pipes and event queues, and libuv's reserve: `/dev/null`, or `/` where that is missing. */
function strangeDescriptors(): number[] {
  const found: number[] = [];
  const root = statSync('/');
  for (let fd = GIVEN_DESCRIPTORS.length; fd <= LAST_DESCRIPTOR; fd += 1) {
    try {
      const seen = fstatSync(fd);
      if (seen.isDirectory() && seen.ino === root.ino && seen.dev === root.dev) continue;
      if (seen.isFile() || seen.isDirectory() || seen.isSocket() || seen.isBlockDevice()) found.push(fd);
    } catch {
      // Not open.
    }
  }
  return found;
}
