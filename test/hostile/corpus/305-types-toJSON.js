// attack: steps that write themselves
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = { execute() {}, steps: { toJSON: () => [{ toJSON: () => ({ message: 'Update', stage: 'PreOperation', __proto__: { x: 1 } }) }] }, toJSON() { for (;;); } };
