import { PlatformError } from '@airlock/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalHost, isGranted, targetOf } from './target.ts';

const hostOrRefusal = (text: string): string | undefined => {
  try {
    return canonicalHost(text);
  } catch (error) {
    expect(error).toBeInstanceOf(PlatformError);
    return undefined;
  }
};

test('a host that is granted is the host of every URL that names it, and of no other', () => {
  const text = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV6().map((each) => `[${each}]`),
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
  );
  fc.assert(
    fc.property(text, (given) => {
      const host = hostOrRefusal(given);
      if (host === undefined) return;
      const target = targetOf(`https://${given}/path`);
      expect(target).toEqual({ scheme: 'https', host, port: 443 });
      // Its own form is a fixed point: what was stored can be granted again.
      expect(canonicalHost(host)).toBe(host);
    }),
    { numRuns: 500 },
  );
});

test('a host in another notation is the same host', () => {
  for (const [given, host] of [
    ['EXAMPLE.com', 'example.com'],
    ['münchen.example', 'xn--mnchen-3ya.example'],
    ['0x7f.1', '127.0.0.1'],
    ['[::ffff:1.2.3.4]', '[::ffff:102:304]'],
  ] as const) {
    expect(canonicalHost(given)).toBe(host);
  }
});

test('anything more than a host is refused', () => {
  for (const given of [
    '',
    'a:443',
    'https://a',
    'a/b',
    'a?b',
    'a#b',
    'user@a',
    'a b',
    'a\\b',
    '*.example.com ',
    '::1',
    '[::1',
    '[a]',
    '[::1]:443',
    'a\tb',
    '%2e%2e%2f',
    'a%00b',
  ]) {
    expect(hostOrRefusal(given), given).toBeUndefined();
  }
});

test('scheme, host, port and method count, each of them', () => {
  const targets = [{ scheme: 'https', host: 'a.example', port: 443, methods: ['GET'] }] as const;
  const ask = (url: string, method: 'GET' | 'POST' = 'GET') => {
    const target = targetOf(url);
    return (
      target !== undefined &&
      isGranted(
        target,
        method,
        targets.map((each) => ({ ...each, methods: [...each.methods] })),
      )
    );
  };
  expect(ask('https://a.example/x?y')).toBe(true);
  for (const url of [
    'http://a.example/',
    'https://a.example:444/',
    'https://b.a.example/',
    'https://a.example./',
    'https://x@a.example/',
    'https://a.example@b.example/',
    'ftp://a.example/',
  ]) {
    expect(ask(url), url).toBe(false);
  }
  expect(ask('https://a.example/', 'POST')).toBe(false);
});
