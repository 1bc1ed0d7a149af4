// attack: climbs from every error and promise that the host made
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const seen = []; try { await ctx.organizationService.retrieve('account', 'no-such-id'); } catch (e) { seen.push(e); } try { await crypto.subtle.digest('nope', new Uint8Array(1)); } catch (e) { seen.push(e); } try { setTimeout('x'); } catch (e) { seen.push(e); } try { new URL('::'); } catch (e) { seen.push(e); } try { await fetch('x'); } catch (e) { seen.push(e); }
    for (const value of [...seen, ctx, ctx.tracing.trace, ctx.organizationService.create, setTimeout, console.log]) { for (let p = value; p; p = Object.getPrototypeOf(p)) { try { const f = p.constructor?.constructor?.('return this')?.(); if (f && f !== globalThis) ctx.tracing.trace('PWNED: another global'); if (f?.process || f?.require) ctx.tracing.trace('PWNED: process'); } catch { /* no */ } } }
  },
};
