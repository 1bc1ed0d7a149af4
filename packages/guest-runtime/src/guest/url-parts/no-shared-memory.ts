/** In place of SharedArrayBuffer, of which the URL library reads two getters when it loads: nothing is a shared buffer. */
export class NoSharedMemory {
  get byteLength(): number {
    throw new TypeError('not a SharedArrayBuffer');
  }

  get growable(): boolean {
    throw new TypeError('not a SharedArrayBuffer');
  }
}
