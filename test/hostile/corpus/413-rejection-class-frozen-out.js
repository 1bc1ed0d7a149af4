// attack: breaks the class of rejections and then uses it
// must: classified as business-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    InvalidPluginExecutionException.prototype.constructor = null; Object.setPrototypeOf(InvalidPluginExecutionException, null); Object.setPrototypeOf(InvalidPluginExecutionException.prototype, null);
    throw new ctx.InvalidPluginExecutionException('still a rejection');
  },
};
