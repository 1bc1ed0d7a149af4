// attack: hands back __proto__ and constructor
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    ctx.executionContext.sharedVariables.x = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":"y","valueOf":1}');
    ctx.executionContext.sharedVariables['__proto__'] = { polluted: 1 }; ctx.executionContext.outputParameters.constructor = { polluted: 1 };
  },
};
