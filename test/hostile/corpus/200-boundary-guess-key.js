// attack: asks the boundary global with guessed keys
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const ask = globalThis.__airlock;
    const guesses = ['', 'key', undefined, null, 0, {}, [], true, Symbol('k'), { toString: () => 'x' }, new Proxy({}, { get: () => 'x' }), '0'.repeat(32), 'AIRLOCK_KEY'];
    for (const guess of guesses) if (ask && ask(guess) !== undefined) ctx.tracing.trace('PWNED: the boundary answered');
    for (let i = 0; i < 20000; i += 1) if (ask && ask(i.toString(16).padStart(32, '0')) !== undefined) ctx.tracing.trace('PWNED: the boundary answered');
  },
};
