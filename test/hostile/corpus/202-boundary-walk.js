// attack: walks everything reachable for a function of the boundary or of the engine
// must: classified as ok; worker survives; the next execution on the same worker succeeds; nothing leaked
module.exports = {
  async execute(ctx) {
    const seen = new Set(); const open = [globalThis, ctx];
    while (open.length > 0 && seen.size < 20000) {
      const value = open.pop();
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
      seen.add(value);
      for (const key of Reflect.ownKeys(value)) {
        if (['applySync', 'deliver', 'install', 'rejectCall', 'evalSync', 'createContext', 'isDisposed'].includes(String(key))) ctx.tracing.trace('PWNED: ' + String(key));
        let next; try { next = Object.getOwnPropertyDescriptor(value, key); } catch { continue; }
        open.push(next?.value, next?.get, next?.set);
      }
      try { open.push(Object.getPrototypeOf(value)); } catch { /* a proxy */ }
    }
  },
};
