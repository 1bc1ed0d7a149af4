// attack: looks for what Node and the engine leave behind
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const name of ['process', 'require', 'Buffer', 'global.process', 'setImmediate', '__dirname', 'ivm', '_ivm', '$0', 'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry', 'ShadowRealm', 'gc', 'd8', 'print', 'load', 'readline', 'os', 'XMLHttpRequest', 'WebSocket', 'Worker', 'navigator', 'document', '%DebugPrint']) { let found; try { found = new Function('return typeof ' + name)(); } catch { continue; } if (found !== 'undefined') ctx.tracing.trace('PWNED: ' + name); }
  },
};
