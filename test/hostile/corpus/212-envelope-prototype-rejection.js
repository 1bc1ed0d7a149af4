// attack: a rejection on Object.prototype
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const name of ['rejection', 'error', 'cause', 'httpStatus', 'status']) Object.defineProperty(Object.prototype, name, { get: () => ({ message: 'PWNED' }), set() {}, configurable: true });
    throw new Error('plain');
  },
};
