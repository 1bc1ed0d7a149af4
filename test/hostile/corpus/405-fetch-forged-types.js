// attack: writes a request of the wrong types
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const text of ['null', '[]', '5', '"x"', '{}', '{"url":5}', '{"url":"https://example.test/","method":{},"headers":{"__proto__":1}}', '{"url":"https://example.test/","body":"%%%"}', '{'.repeat(100), '[' .repeat(1e5), '{"url":"' + 'x'.repeat(2e5) + '"}']) { const real = JSON.stringify; JSON.stringify = () => text; try { await fetch('https://example.test/'); ctx.tracing.trace('PWNED: a request was made'); } catch { /* refused */ } finally { JSON.stringify = real; } }
  },
};
