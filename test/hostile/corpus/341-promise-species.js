// attack: a promise whose species collects executors
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const made = []; class Mine extends Promise { static get [Symbol.species]() { return class extends Promise { constructor(f) { super(f); made.push(f); } }; } }
    return Mine.resolve(1).then(() => 2).then(() => new Mine((r) => setTimeout(r, 5)));
  },
};
