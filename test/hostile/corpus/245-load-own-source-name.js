// attack: names itself as the runtime to hide its frames
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = { execute() { throw new Error('hidden'); } };
//# sourceURL=airlock:guest-runtime
