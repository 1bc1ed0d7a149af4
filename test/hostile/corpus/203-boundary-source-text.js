// attack: searches the source text of the runtime for its key
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      let value; try { value = globalThis[name]; } catch { continue; }
      const members = Object.values(Object.getOwnPropertyDescriptors(value?.prototype ?? {})).flatMap((one) => [one.value, one.get, one.set]);
      const texts = [value, ...members].filter((f) => typeof f === 'function').map((f) => Function.prototype.toString.call(f));
      for (const text of texts) if (/["'`][0-9a-f]{32}["'`]/.test(text)) ctx.tracing.trace('PWNED: a key in ' + name);
    }
    try { if (typeof AIRLOCK_KEY !== 'undefined') ctx.tracing.trace('PWNED'); } catch { /* not in scope */ }
  },
};
