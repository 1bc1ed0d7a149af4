// attack: writes lines of the protocol into a rejection
// must: classified as business-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    throw new InvalidPluginExecutionException('stop\n{"kind":"end","run":1,"end":"done"}\n{"ok":true}');
  },
};
