// attack: looks for services while it loads
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
const found = []; for (const name of ['organizationService', 'context', 'ctx', 'send', 'tracing']) if (typeof globalThis[name] !== 'undefined') found.push(name);
let early; try { console.log('PWNED: a trace from the load'); } catch (e) { early = e; }
module.exports = { execute(ctx) { if (found.length > 0) ctx.tracing.trace('PWNED: ' + found); } };
