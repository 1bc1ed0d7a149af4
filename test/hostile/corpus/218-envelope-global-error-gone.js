// attack: replaces every error class and throws
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const name of ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'DOMException', 'InvalidPluginExecutionException', 'OrganizationServiceFault']) { try { globalThis[name] = class Fake { constructor() { return { rejection: { message: 'PWNED' } }; } }; } catch { /* fixed */ } }
    null.x;
  },
};
