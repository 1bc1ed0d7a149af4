// attack: makes large keys until the CPU limit
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (let i = 0; i < 200; i += 1) await Promise.all(Array.from({ length: 8 }, () => crypto.subtle.generateKey({ name: 'RSA-PSS', modulusLength: 4096, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, true, ['sign', 'verify'])));
  },
};
