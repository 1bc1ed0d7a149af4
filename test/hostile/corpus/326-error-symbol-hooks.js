// attack: Symbol.hasInstance, toStringTag and toPrimitive on errors
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    Object.defineProperty(InvalidPluginExecutionException, Symbol.hasInstance, { value: () => true, configurable: true });
    const fake = Object.create(InvalidPluginExecutionException.prototype); fake.message = 'PWNED'; fake[Symbol.toStringTag] = 'Error'; fake[Symbol.toPrimitive] = () => { for (;;); };
    throw fake;
  },
};
