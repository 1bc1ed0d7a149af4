// attack: requests that are not what they seem
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const bad = [['digest', 'SHA-256', { byteLength: 1e9 }], ['digest', { name: '__proto__' }, new Uint8Array(1)], ['digest', new Proxy({}, { get: () => 'SHA-1', ownKeys: () => ['name'] }), new Uint8Array(1)], ['importKey', 'jwk', { kty: 'oct', k: '\ud800', $bytes: 'x' }, 'HMAC', true, ['sign']], ['importKey', 'raw', { $bytes: '....' }, 'AES-GCM', true, ['encrypt']], ['sign', 'HMAC', { $key: {} }, new Uint8Array(1)], ['deriveBits', 'X25519', {}, -1], ['generateKey', { name: 'RSA-OAEP', modulusLength: 1e9, publicExponent: new Uint8Array([0]), hash: 'SHA-1' }, true, ['encrypt']], ['constructor', 'x'], ['toString'], ['importKey', '/etc/passwd', 'x', 'x', true, []]];
    for (const [op, ...args] of bad) { try { await crypto.subtle[op](...args); } catch (e) { if (/openssl|\/(usr|work|home|tmp)|node:/i.test(e.message + e.stack)) ctx.tracing.trace('PWNED: ' + e.message); } }
  },
};
