// attack: ten thousand plug-in types
// must: classified as rejected-at-upload; worker survives; the next execution on the same worker succeeds; nothing leaked
for (let i = 0; i < 1e4; i += 1) exports['T' + i] = { execute() {} };
