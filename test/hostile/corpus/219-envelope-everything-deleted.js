// attack: deletes all globals, then fails
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const key of Reflect.ownKeys(globalThis)) { try { delete globalThis[key]; } catch { /* fixed */ } }
    throw { message: 'nothing is left' };
  },
};
