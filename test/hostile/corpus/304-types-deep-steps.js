// attack: steps nested a hundred thousand levels deep
// must: classified as rejected-at-upload; worker survives; the next execution on the same worker succeeds; nothing leaked
let deep = []; for (let i = 0; i < 1e5; i += 1) deep = [deep];
module.exports = { execute() {}, steps: deep };
