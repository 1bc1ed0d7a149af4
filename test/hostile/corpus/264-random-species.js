// attack: getRandomValues over detached, shared and lying views
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const view of [new DataView(new ArrayBuffer(8)), new Float64Array(4), { byteLength: 8, buffer: new ArrayBuffer(8) }, new Proxy(new Uint8Array(4), {}), new Uint8Array(1e6), null, 5]) { try { crypto.getRandomValues(view); } catch { /* refused */ } }
    class Lying extends Uint8Array { get byteLength() { return 1e9; } get length() { return 1e9; } get [Symbol.toStringTag]() { return 'Uint8Array'; } }
    try { crypto.getRandomValues(new Lying(4)); } catch { /* refused */ }
  },
};
