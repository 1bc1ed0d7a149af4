// attack: exports a revoked proxy
// must: classified as rejected-at-upload; worker survives; the next execution on the same worker succeeds; nothing leaked
const { proxy, revoke } = Proxy.revocable({ execute() {} }, {}); module.exports = proxy; revoke();
