// attack: listeners that dispatch
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const target = new EventTarget(); target.addEventListener('x', () => target.dispatchEvent(new Event('x'))); for (let i = 0; i < 1e3; i += 1) target.addEventListener('y', () => { for (let j = 0; j < 1e3; j += 1) target.addEventListener('y', () => {}); target.dispatchEvent(new Event('y')); });
    try { target.dispatchEvent(new Event('x')); } catch { /* too deep */ } target.dispatchEvent(new Event('y'));
  },
};
