// attack: exports another thing whenever it is read
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
let n = 0; Object.defineProperty(module, 'exports', { get() { n += 1; return n % 2 ? { execute() {} } : null; }, configurable: true });
