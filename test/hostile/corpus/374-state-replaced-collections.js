// attack: tries to replace the collections and images themselves
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    for (const name of ['sharedVariables', 'inputParameters', 'outputParameters', 'preEntityImages', 'depth', 'initiatingUserId', 'isInTransaction']) { try { ctx.executionContext[name] = { PWNED: 1 }; } catch { /* frozen */ } try { Object.defineProperty(ctx.executionContext, name, { value: 'PWNED' }); } catch { /* frozen */ } }
    if (JSON.stringify(ctx.executionContext).includes('PWNED')) ctx.tracing.trace('PWNED: the context changed');
  },
};
