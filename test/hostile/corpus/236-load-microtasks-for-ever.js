// attack: never ends its microtasks while it loads
// must: classified as rejected-at-upload; worker survives; the next execution on the same worker succeeds; nothing leaked
(function again() { queueMicrotask(again); })();
module.exports = { execute() {} };
