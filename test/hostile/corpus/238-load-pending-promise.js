// attack: a promise from the load is settled in the run
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
let open; const later = new Promise((resolve) => { open = resolve; });
let stolen; later.then((ctx) => { stolen = ctx; });
module.exports = { async execute(ctx) { open(ctx); await later; await null; if (stolen !== ctx) throw new Error('lost'); await stolen.organizationService.retrieve('account', '00000000-0000-0000-0000-000000000001'); } };
