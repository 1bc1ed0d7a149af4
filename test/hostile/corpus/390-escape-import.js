// attack: imports by every way to make code
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const ways = [() => new Function('return import("node:fs")')(), () => eval('import("node:child_process")'), () => (0, eval)('import("file:///etc/passwd")'), () => new (async () => {}).constructor('return await import("node:fs")')(), () => new (function* () {}).constructor('yield import("fs")')().next().value];
    for (const way of ways) { try { const m = await way(); if (m) ctx.tracing.trace('PWNED: imported'); } catch { /* refused */ } }
  },
};
