import { PlatformError } from '@airlock/protocol';

const MAX_OPTIONS = 64;

/**
 * The query string by name. `+` is a blank and `%2B` a plus, names may be encoded too (`%24select`); clients of this API do all
 * of it. An option given twice is refused, as OData asks; parameters without `$` keep the first.
 */
export function parseQueryString(text: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  const pairs = text.split('&').filter((pair) => pair !== '');
  if (pairs.length > MAX_OPTIONS)
    throw new PlatformError('INVALID_ARGUMENT', { problem: `The query string has more than ${MAX_OPTIONS} parameters.` });
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    if (options.has(name)) {
      if (name.startsWith('$')) throw new PlatformError('INVALID_ARGUMENT', { problem: `Query option '${name}' was specified more than once.` });
    } else {
      options.set(name, value);
    }
  }
  return options;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    throw new PlatformError(
      'INVALID_ARGUMENT',
      { problem: 'The query string has a percent sign that is not followed by a valid encoding.' },
      { cause: error },
    );
  }
}
