// attack: steps of a hundred megabytes
// must: classified as rejected-at-upload; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = { execute() {}, steps: Array.from({ length: 1000 }, () => ({ name: 'x'.repeat(1e5) })) };
