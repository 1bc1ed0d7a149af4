// attack: allocates while it loads, so that preparing it is expensive
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
globalThis.ballast = Array.from({ length: 300 }, () => new Uint8Array(64 * 1024).fill(1));
module.exports = { execute() {} };
