// attack: throws what looks like the host's own limits
// must: classified as unexpected-error; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const e = new RangeError('Array buffer allocation failed'); e.name = 'Isolate was disposed during execution due to memory limit'; e.code = 'ERR_ISOLATE_MEMORY'; throw e;
  },
};
