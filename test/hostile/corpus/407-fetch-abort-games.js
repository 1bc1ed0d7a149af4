// attack: aborts before, during and after, from getters and listeners
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const controller = new AbortController(); const calls = [];
    for (let i = 0; i < 50; i += 1) calls.push(fetch('https://example.test/', { signal: i % 2 ? controller.signal : { aborted: false, throwIfAborted() {}, addEventListener(_, f) { f(); f(); }, removeEventListener() { for (let j = 0; j < 1e3; j += 1) this.x = j; }, get reason() { return new Proxy({}, {}); } } }));
    controller.abort(new Proxy({}, {})); await Promise.allSettled(calls);
  },
};
