import { isStorableText } from '../registrations/plain-text.ts';

/**
 * Where a checked value holds text that Postgres cannot (NUL, half of a surrogate pair); `undefined` when it holds none. The
 * depth is limited by the parser before this. Members named in `except` are not looked at.
 */
export function unstorablePlace(value: unknown, place: string, except: readonly string[] = []): string | undefined {
  if (typeof value === 'string') return isStorableText(value) ? undefined : place;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, item] of Object.entries(value)) {
    if (except.includes(name)) continue;
    const found = isStorableText(name) ? unstorablePlace(item, `${place}.${name}`) : `${place}: a name`;
    if (found !== undefined) return found;
  }
  return undefined;
}
