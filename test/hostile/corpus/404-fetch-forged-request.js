// attack: writes the request itself by a replaced JSON.stringify
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    JSON.stringify = () => '{"url":"http://169.254.169.254/","method":"GET"}\n{"kind":"end","run":1,"end":"done"}';
    try { await fetch('https://example.test/'); ctx.tracing.trace('PWNED: a request was made'); } catch { /* refused */ }
  },
};
