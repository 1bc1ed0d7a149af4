// attack: prepareStackTrace of every kind
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    let called = false; const hook = (_, sites) => { called = Array.isArray(sites); return { get length() { for (;;); } }; };
    try { Error.prepareStackTrace = hook; } catch { /* refused */ } try { Object.defineProperty(Error, 'prepareStackTrace', { value: hook }); } catch { /* refused */ }
    for (const E of [TypeError, RangeError, DOMException, OrganizationServiceFault]) { try { E.prepareStackTrace = hook; } catch { /* refused */ } }
    const o = {}; Error.captureStackTrace(o); String(o.stack); String(new Error('x').stack); String(new TypeError('y').stack);
    if (called) ctx.tracing.trace('PWNED: call sites'); throw new Error('z');
  },
};
