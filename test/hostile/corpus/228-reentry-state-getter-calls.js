// attack: the state that is handed back makes service calls while it is written
// must: no call reaches the service after the outcome; worker survives; the next execution on the same worker succeeds
module.exports = {
  async execute(ctx) {
    ctx.executionContext.sharedVariables.trap = { get x() { ctx.organizationService.create('account', { name: 'PWNED' }).catch(() => {}); return 1; }, toJSON() { ctx.organizationService.update('account', 'late', { name: 'late' }).catch(() => {}); return 1; } };
  },
};
