// attack: makes calls and does not wait for any
// must: what is not awaited does not reach the service after the outcome
module.exports = {
  async execute(ctx) {
    for (let i = 0; i < 400; i += 1) ctx.organizationService.update('account', 'x', { i }).catch(() => {});
  },
};
