// attack: looks for the machine's wall clock
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const day = Date.now(); const far = (ms) => Math.abs(ms - day) > 864e5 * 30;
    const probe = { date: () => +new Date(), text: () => Date.parse(Date()), construct: () => +Reflect.construct(Date, [], class extends Date {}), subclass: () => +new (class extends Date {})(), format: () => Date.parse(new Intl.DateTimeFormat('en-US', { dateStyle: 'long', timeZone: 'UTC' }).format()), parts: () => Date.parse(new Intl.DateTimeFormat('en-US').formatToParts().map((p) => p.value).join('')), proto: () => +new Date.prototype.constructor(), now: () => Date.prototype.constructor.now(), instant: () => Temporal.Now.instant().epochMilliseconds, plain: () => Date.parse(Temporal.Now.plainDateISO().toString()), zoned: () => Temporal.Now.zonedDateTimeISO().epochMilliseconds, origin: () => performance.timeOrigin, event: () => performance.timeOrigin + new Event('x').timeStamp, locale: () => Date.parse(new Date().toLocaleDateString('en-US')), undef: () => +new Date(Date.now()) };
    for (const [name, read] of Object.entries(probe)) { let ms; try { ms = read(); } catch { continue; } if (Number.isFinite(ms) && far(ms)) ctx.tracing.trace('PWNED: ' + name + ' ' + ms); }
  },
};
