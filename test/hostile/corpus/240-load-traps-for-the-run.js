// attack: plants accessors on Object.prototype while it loads
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
const seen = [];
for (const name of ['stage', 'organizationService', 'configuration', 'inputParameters', 'limits', 'execute', 'self', 'trace', 'settle', 'kind', 'secure']) Object.defineProperty(Object.prototype, name, { configurable: true, get() { return undefined; }, set(value) { seen.push([name, this, value]); } });
module.exports = { execute(ctx) { for (const [name, self] of seen) { for (const key of Reflect.ownKeys(self)) if (['execution', 'open', 'queue', 'trace'].includes(String(key)) && self[key] instanceof Map) ctx.tracing.trace('PWNED: ' + name); } } };
