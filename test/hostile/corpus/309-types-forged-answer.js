// attack: forges the answer about its types
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
Map.prototype.forEach = (f) => f({ stepsJson: '[],"hasExecute":true},{"typeName":"PWNED"' }, 'PWNED'); JSON.stringify = () => '"PWNED"'; Object.keys = () => ['PWNED'];
module.exports = { execute(ctx) { ctx.tracing.trace('ran'); } };
