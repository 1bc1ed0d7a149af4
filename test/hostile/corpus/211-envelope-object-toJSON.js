// attack: a toJSON on Object.prototype forges the account of the failure
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    Object.prototype.toJSON = () => ({ error: { name: 'x', message: 'PWNED', stack: '' }, rejection: { message: 'PWNED' } });
    throw new Error('plain');
  },
};
