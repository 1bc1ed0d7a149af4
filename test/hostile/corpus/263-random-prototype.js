// attack: steals the generator's state through typed arrays and Math
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const seen = [];
    for (const Type of [Uint8Array, Uint32Array]) { const real = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Type.prototype), 'length'); Object.defineProperty(Type.prototype, 'length', { get() { seen.push(this); return real.get.call(this); }, configurable: true }); Object.defineProperty(Type.prototype, 'set', { value() { seen.push(this); }, configurable: true }); }
    const mine = new Uint8Array(16); crypto.getRandomValues(mine); Math.random(); crypto.randomUUID();
    if (seen.some((array) => array instanceof Uint32Array && array.buffer.byteLength >= 32)) ctx.tracing.trace('PWNED: the state of the generator');
  },
};
