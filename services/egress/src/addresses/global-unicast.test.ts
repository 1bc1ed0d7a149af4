import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GLOBAL_IPV6, isGlobalUnicast, REFUSED_IPV4, REFUSED_IPV6 } from './global-unicast.ts';

/** The ranges as numbers, by arithmetic of the test's own. */
const v4Number = (text: string): bigint => text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
const v4Text = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
function v6Number(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const front = groups(head);
  const back = groups(tail ?? '');
  const all = [...front, ...new Array<string>(8 - front.length - back.length).fill('0'), ...back];
  return all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}
const v6Text = (value: bigint): string => Array.from({ length: 8 }, (_, at) => ((value >> BigInt(16 * (7 - at))) & 0xffffn).toString(16)).join(':');
const dotted = (value: bigint): string => `${v6Text(value).split(':').slice(0, 6).join(':')}:${v4Text(value & 0xffffffffn)}`;

const span = (range: string, bits: bigint, toNumber: (text: string) => bigint): readonly [bigint, bigint] => {
  const [address = '', length = '0'] = range.split('/');
  const first = toNumber(address);
  return [first, first + (1n << (bits - BigInt(length))) - 1n];
};
const v4Spans = REFUSED_IPV4.map((range) => span(range, 32n, v4Number));
const v6Spans = REFUSED_IPV6.map((range) => span(range, 128n, v6Number));
const isInside = (value: bigint, spans: readonly (readonly [bigint, bigint])[]) => spans.some(([from, to]) => value >= from && value <= to);
const inSpan = (spans: readonly (readonly [bigint, bigint])[]) => fc.constantFrom(...spans).chain(([min, max]) => fc.bigInt({ min, max }));

test('an IPv4 address is public exactly when it is in none of the refused ranges', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }), (value) => isGlobalUnicast(v4Text(value)) === !isInside(value, v4Spans)),
    { numRuns: 2_000 },
  );
});

test('no address of a refused IPv4 range is public, and neither are its edges', () => {
  fc.assert(fc.property(inSpan(v4Spans), (value) => !isGlobalUnicast(v4Text(value))));
  for (const [from, to] of v4Spans) expect([isGlobalUnicast(v4Text(from)), isGlobalUnicast(v4Text(to))]).toEqual([false, false]);
});

test('the neighbours of a refused IPv4 range are judged on their own', () => {
  for (const [from, to] of v4Spans) {
    for (const beside of [from - 1n, to + 1n]) {
      if (beside >= 0n && beside < 1n << 32n) expect(isGlobalUnicast(v4Text(beside)), v4Text(beside)).toBe(!isInside(beside, v4Spans));
    }
  }
});

test('no IPv6 address outside of 2000::/3 is public, however it is written', () => {
  const [from, to] = span(GLOBAL_IPV6, 128n, v6Number);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (value) => {
      fc.pre(value < from || value > to);
      return !isGlobalUnicast(v6Text(value)) && !isGlobalUnicast(dotted(value));
    }),
  );
});

test('no address of a refused IPv6 range is public', () => {
  fc.assert(fc.property(inSpan(v6Spans), (value) => !isGlobalUnicast(v6Text(value)) && !isGlobalUnicast(dotted(value))));
});

test('no IPv6 form that carries an IPv4 address is public, whatever the address', () => {
  const four = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n });
  const carriers: readonly ((value: bigint) => string)[] = [
    (value) => `::ffff:${v4Text(value)}`,
    (value) => `::ffff:0:${v4Text(value)}`,
    (value) => `::${v4Text(value)}`,
    (value) => `64:ff9b::${v4Text(value)}`,
    (value) => `64:ff9b:1::${v4Text(value)}`,
    (value) => v6Text((0x2002n << 112n) | (value << 80n) | 1n),
    (value) => v6Text((0x20010000n << 96n) | value),
    (value) => `2a00:1450:4001:800:0:5efe:${v4Text(value)}`,
    (value) => `2a00:1450:4001:800:200:5efe:${v4Text(value)}`,
  ];
  fc.assert(fc.property(four, fc.constantFrom(...carriers), (value, carrier) => !isGlobalUnicast(carrier(value))));
});

test('the forms that pass a usual list of refused ranges do not pass', () => {
  for (const text of [
    '::127.0.0.1',
    '::ffff:0:a9fe:a9fe',
    '::1',
    '::',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'ff02::1',
    'fec0::1',
    '100::1',
    '5f00::1',
  ]) {
    expect(isGlobalUnicast(text), text).toBe(false);
  }
});

test('public hosts are public', () => {
  for (const text of ['1.1.1.1', '8.8.8.8', '93.184.215.14', '2606:4700:4700::1111', '2a00:1450:4001:800::200e', '2001:4860:4860::8888']) {
    expect(isGlobalUnicast(text), text).toBe(true);
  }
});

test('what is no address is not public', () => {
  fc.assert(fc.property(fc.string(), (text) => !isGlobalUnicast(`${text} `)));
  for (const text of ['', '127.1', '0x7f000001', '2130706433', '01.1.1.1', 'localhost', '1.1.1.1.', '[::1]', ':::1']) {
    expect(isGlobalUnicast(text), text).toBe(false);
  }
});
