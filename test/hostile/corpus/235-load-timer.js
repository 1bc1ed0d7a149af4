// attack: arms timers while it loads
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
setTimeout(() => globalThis.hook?.(), 0); setInterval(() => globalThis.hook?.(), 1); AbortSignal.timeout(1).addEventListener('abort', () => globalThis.hook?.());
module.exports = { async execute(ctx) { globalThis.hook = () => ctx.tracing.trace('PWNED: a timer of the load fired'); await new Promise((resolve) => setTimeout(resolve, 40)); } };
