import { isIPv4, isIPv6 } from 'node:net';

/** The 4 bytes of an IPv4 address in dotted decimal; `undefined` for anything else. */
export function ipv4Bytes(text: string): readonly number[] | undefined {
  return isIPv4(text) ? text.split('.').map(Number) : undefined;
}

const hexGroups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));

/** The 16 bytes of an IPv6 address; `undefined` for anything else, also for one with a zone (`fe80::1%eth0`): it names a link of this machine. */
export function ipv6Bytes(text: string): readonly number[] | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const groups = allGroups(dottedTailAsGroups(text));
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

/** `::ffff:192.0.2.1` → `::ffff:c000:201`. */
function dottedTailAsGroups(text: string): string {
  const at = text.lastIndexOf(':') + 1;
  const tail = ipv4Bytes(text.slice(at));
  if (tail === undefined) return text;
  const [a = 0, b = 0, c = 0, d = 0] = tail;
  return `${text.slice(0, at)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function allGroups(text: string): readonly number[] {
  const gap = text.indexOf('::');
  if (gap < 0) return hexGroups(text);
  const head = hexGroups(text.slice(0, gap));
  const tail = hexGroups(text.slice(gap + 2));
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}
