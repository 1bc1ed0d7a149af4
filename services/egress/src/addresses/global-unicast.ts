import { ipv4Bytes, ipv6Bytes } from './ip-bytes.ts';

/**
 * Rule: a request leaves only for an address that is a public host of the internet. IPv6 is an allow rule (2000::/3 less what
 * is special in it): a list of refused ranges misses forms that carry an IPv4 address, such as `::127.0.0.1` and
 * `::ffff:0:a9fe:a9fe`. Ranges are those of the IANA special-purpose registries.
 */
interface Range {
  readonly bytes: readonly number[];
  readonly bits: number;
}

function range(text: string): Range {
  const [address = '', bits = ''] = text.split('/');
  const bytes = ipv4Bytes(address) ?? ipv6Bytes(address);
  if (bytes === undefined) throw new RangeError(`not a range: ${text}`);
  return { bytes, bits: Number(bits) };
}

export const REFUSED_IPV4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // a public number that a cloud answers from inside the machine
  '169.254.0.0/16', // link-local, metadata services
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // automatic multicast tunnelling
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
] as const;

export const GLOBAL_IPV6 = '2000::/3';
/** Inside of `GLOBAL_IPV6`. */
export const REFUSED_IPV6 = [
  '2001::/23', // protocol assignments: Teredo, ORCHID, benchmarks, tunnels
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4: carries an IPv4 address
  '2620:4f:8000::/48', // AS112
  '3ffe::/16', // given back
  '3fff::/20', // documentation
] as const;

const refusedIpv4 = REFUSED_IPV4.map(range);
const globalIpv6 = range(GLOBAL_IPV6);
const refusedIpv6 = REFUSED_IPV6.map(range);

function isIn(address: readonly number[], { bytes, bits }: Range): boolean {
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = bits - bit >= 8 ? 0xff : (0xff << (8 - (bits - bit))) & 0xff;
    const at = bit >> 3;
    if (((address[at] ?? 0) & mask) !== ((bytes[at] ?? 0) & mask)) return false;
  }
  return true;
}

/** `…:0:5efe:a.b.c.d` and `…:200:5efe:a.b.c.d` are tunnelled to the IPv4 address at their end. */
const isIsatap = (b: readonly number[]): boolean => (b[8] === 0 || b[8] === 2) && b[9] === 0 && b[10] === 0x5e && b[11] === 0xfe;

export function isGlobalUnicast(address: string): boolean {
  const four = ipv4Bytes(address);
  if (four !== undefined) return !refusedIpv4.some((each) => isIn(four, each));
  const six = ipv6Bytes(address);
  return six !== undefined && isIn(six, globalIpv6) && !refusedIpv6.some((each) => isIn(six, each)) && !isIsatap(six);
}
