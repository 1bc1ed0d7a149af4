// attack: exports with endless keys
// must: classified as rejected-at-upload; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = new Proxy({}, { ownKeys() { const keys = []; for (let i = 0; ; i += 1) keys.push('k' + i); } });
