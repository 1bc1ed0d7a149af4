// attack: gets removed things back through prototypes and new contexts
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const ways = [() => new ArrayBuffer(8, { maxByteLength: 1e9 }), () => new ArrayBuffer(8).constructor.prototype.resize, () => ArrayBuffer.prototype.transfer, () => new (Object.getPrototypeOf(new Uint8Array(1).buffer).constructor)(8, { maxByteLength: 64 }).resizable || undefined, () => new DataView(new ArrayBuffer(1)).buffer.constructor(1), () => structuredClone(new ArrayBuffer(8), { transfer: [] }).resize, () => Reflect.construct(ArrayBuffer, [8, { maxByteLength: 1e9 }]).resizable || undefined, () => new Uint8Array(new ArrayBuffer(1)).buffer.resize];
    for (const way of ways) { let found; try { found = way(); } catch { continue; } if (found !== undefined) ctx.tracing.trace('PWNED: ' + way); }
  },
};
