// attack: closes the wrapper and goes on outside
// must: classified as rejected-at-upload; worker survives; the next execution on the same worker succeeds; nothing leaked
}); globalThis.PWNED = 1; (function () { return module;
