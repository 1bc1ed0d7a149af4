// attack: getters change what is being cloned
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const list = []; const trap = { get a() { for (let i = 0; i < 1e4; i += 1) list.push({}); trap.b = list; return 1; }, b: [] };
    structuredClone(trap); structuredClone({ list });
  },
};
