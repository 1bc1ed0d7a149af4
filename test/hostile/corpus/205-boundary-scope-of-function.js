// attack: code made from strings tries to see the runtime's scope
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const name of ['send', 'current', 'post', 'boundary', 'SafeError', 'jsonStringify', 'key', 'types', 'moduleObject']) {
      try { const value = new Function('return typeof ' + name)(); if (value !== 'undefined') ctx.tracing.trace('PWNED: ' + name); } catch { /* not there */ }
      try { const value = (0, eval)('typeof ' + name); if (value !== 'undefined') ctx.tracing.trace('PWNED: ' + name); } catch { /* not there */ }
    }
  },
};
