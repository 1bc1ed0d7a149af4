// attack: control, bidi and surrogate characters through every door
// must: classified as business-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const evil = '\u0000\u001b[2J\u202e\u2066\ud800\udfff\r\n\u0085\u2028{"level":60,"msg":"PWN"}';
    ctx.tracing.trace(evil); console.error(evil); ctx.executionContext.sharedVariables[evil] = evil;
    const e = new InvalidPluginExecutionException('no ' + evil); e.stack = evil; e.name = evil; throw e;
  },
};
