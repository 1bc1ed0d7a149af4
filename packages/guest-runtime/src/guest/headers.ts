import { define } from './primordials.ts';

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

function nameOf(value: unknown): string {
  const name = String(value);
  if (!NAME.test(name)) throw new TypeError(`Headers: '${name.slice(0, 64)}' is not a name of a header`);
  return name.toLowerCase();
}

function valueOf(value: unknown): string {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (/[^\t\x20-\x7e\x80-\xff]/.test(text)) throw new TypeError('Headers: a value holds a line ending, a control character or one beyond Latin-1');
  return text;
}

type Pair = readonly [string, string];

/** The standard's Headers. What a plug-in may not set is left out by the host, not here. */
export class Headers {
  readonly #pairs = new Map<string, string[]>();

  constructor(init?: unknown) {
    if (init === undefined || init === null) return;
    if (typeof init !== 'object') throw new TypeError('Headers: the argument must be an object, a list of pairs or Headers');
    const pairs =
      typeof (init as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function' ? (init as Iterable<Iterable<unknown>>) : Object.entries(init);
    for (const pair of pairs) {
      const both = [...pair];
      if (both.length !== 2) throw new TypeError('Headers: each entry must be a pair of name and value');
      this.append(both[0], both[1]);
    }
  }

  append(name: unknown, value: unknown): void {
    const key = nameOf(name);
    const values = this.#pairs.get(key);
    if (values === undefined) this.#pairs.set(key, [valueOf(value)]);
    else values.push(valueOf(value));
  }

  set(name: unknown, value: unknown): void {
    this.#pairs.set(nameOf(name), [valueOf(value)]);
  }

  delete(name: unknown): void {
    this.#pairs.delete(nameOf(name));
  }

  has(name: unknown): boolean {
    return this.#pairs.has(nameOf(name));
  }

  get(name: unknown): string | null {
    return this.#pairs.get(nameOf(name))?.join(', ') ?? null;
  }

  getSetCookie(): string[] {
    return [...(this.#pairs.get('set-cookie') ?? [])];
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  *entries(): Generator<Pair> {
    for (const name of [...this.#pairs.keys()].sort()) {
      const values = this.#pairs.get(name) ?? [];
      // Cookies are the one header whose values cannot be joined.
      if (name === 'set-cookie') for (const value of values) yield [name, value];
      else yield [name, values.join(', ')];
    }
  }

  *keys(): Generator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): Generator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<Pair> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return 'Headers';
  }
}

export function installHeaders(): void {
  Object.defineProperty(Headers, 'name', { value: 'Headers', configurable: true });
  define(globalThis, 'Headers', Headers);
}
