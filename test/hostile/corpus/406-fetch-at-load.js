// attack: fetches while it loads
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
let early; try { early = fetch('https://example.test/'); early.then(() => { globalThis.got = true; }, () => {}); } catch { /* refused */ }
module.exports = { execute(ctx) { if (globalThis.got) ctx.tracing.trace('PWNED: a request was made while loading'); } };
