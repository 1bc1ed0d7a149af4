// attack: behaves while it is inspected and attacks when it runs
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
let reads = 0;
module.exports = { get execute() { reads += 1; return reads <= 1 ? () => {} : () => { for (;;); }; } };
