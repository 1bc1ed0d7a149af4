// attack: ends the process while it loads
// must: classified as rejected-at-upload; worker survives; the next execution on the same worker succeeds; nothing leaked
'.'.repeat(2 ** 28).split('');
module.exports = { execute() {} };
