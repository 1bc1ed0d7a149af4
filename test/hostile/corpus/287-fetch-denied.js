// attack: fetch to the metadata address and the bus
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const url of ['http://169.254.169.254/latest/meta-data', 'http://127.0.0.1:4222', 'nats://127.0.0.1:4222', 'file:///etc/passwd', 'data:text/plain,x']) { try { const r = await fetch(url); ctx.tracing.trace('PWNED: ' + r?.status); } catch { /* denied */ } }
  },
};
