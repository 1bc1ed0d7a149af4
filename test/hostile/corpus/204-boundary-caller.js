// attack: reads .caller and .arguments of the functions that call it back
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const found = [];
    function look() { try { if (look.caller) found.push(look.caller); } catch { /* strict */ } try { found.push(...(look.arguments?.callee?.caller ? [look.arguments.callee.caller] : [])); } catch { /* strict */ } return 1; }
    setTimeout(look, { valueOf: look });
    ctx.tracing.trace({ toString: look, get x() { return look(); } });
    await new Promise((resolve) => setTimeout(() => { look(); resolve(); }, 1));
    for (const f of found) if (!/look|setTimeout\(\(\)/.test(Function.prototype.toString.call(f))) ctx.tracing.trace('PWNED: a caller outside of the bundle');
  },
};
