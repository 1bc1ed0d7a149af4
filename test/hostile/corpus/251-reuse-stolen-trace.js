// attack: keeps its tracing in a reused isolate
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const { kept } = globalThis; globalThis.kept = ctx.tracing;
    if (kept) kept.trace('PWNED: a trace of an earlier execution is written');
  },
};
