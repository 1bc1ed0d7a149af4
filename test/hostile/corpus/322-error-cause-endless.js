// attack: every cause has a cause
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    throw { get message() { return 'm'.repeat(1e6); }, get stack() { return 's\n'.repeat(1e6); }, get name() { return 'n'.repeat(1e6); }, get cause() { return Object.create(this); } };
  },
};
