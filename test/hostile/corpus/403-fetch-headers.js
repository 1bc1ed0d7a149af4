// attack: headers with line feeds, endless iterators and traps
// must: classified as timeout; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const headers of [{ 'x\r\nHost': 'evil' }, { x: 'a\r\nHost: evil' }, { host: 'evil', 'proxy-authorization': 'x', cookie: 'x' }, [['a']], 5, null, { [Symbol.iterator]: () => { throw new Error('no'); } }, new Proxy({}, { ownKeys: () => ['a'], get: () => '\u0000' })]) { try { await fetch('https://example.test/', { headers }); ctx.tracing.trace('PWNED: a request was made'); } catch { /* refused */ } }
    await fetch('https://example.test/', { headers: { *[Symbol.iterator]() { for (let i = 0; ; i += 1) yield ['x' + i, 'y']; } } });
  },
};
