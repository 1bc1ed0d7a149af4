// attack: segments, collates and normalizes for ever
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const text = 'e\u0301'.repeat(2e6); for (let i = 0; i < 1e3; i += 1) { [...new Intl.Segmenter('th', { granularity: 'word' }).segment(text)].length; text.normalize('NFKD').localeCompare(text.toUpperCase(), 'de', { sensitivity: 'base' }); }
  },
};
