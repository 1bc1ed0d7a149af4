// attack: leaves a timer for the next execution
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    if (globalThis.armed) { globalThis.next = ctx; await new Promise((resolve) => setTimeout(resolve, 60)); }
    else { globalThis.armed = true; setTimeout(() => globalThis.next?.tracing.trace('PWNED: a timer of an earlier execution fired'), 20); setInterval(() => globalThis.next?.tracing.trace('PWNED: an interval'), 5); }
  },
};
