// attack: an async loop that began while it loads goes on in the run
// must: classified as rejected-at-upload; worker survives; the next execution on the same worker succeeds; nothing leaked
const loop = (async () => { for (let i = 0; ; i += 1) { await null; if (i % 1e6 === 0) globalThis.beat = i; } })();
module.exports = { execute() {} };
