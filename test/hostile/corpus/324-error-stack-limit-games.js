// attack: raises the stack limit and recurses through long names
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const value of [Infinity, 1e9, -1, NaN, '5', {}, undefined]) { try { Error.stackTraceLimit = value; } catch { /* refused */ } }
    try { Object.defineProperty(Error, 'stackTraceLimit', { value: 1e9, writable: false }); } catch { /* refused */ }
    const name = 'f' + 'x'.repeat(1e5); const deep = new Function('n', `return (function ${name}(n) { if (n > 0) return ${name}(n - 1); throw new Error('deep'); })(n)`);
    deep(2000);
  },
};
