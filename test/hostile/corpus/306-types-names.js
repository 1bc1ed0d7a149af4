// attack: type names with controls and endless length
// must: classified as rejected-at-upload; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = { typeName: '\u0000\u202e' + 'x'.repeat(1e6), execute() {} };
