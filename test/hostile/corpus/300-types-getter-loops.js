// attack: steps whose getter never returns
// must: classified as rejected-at-upload; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = { A: { get execute() { for (;;); } } };
