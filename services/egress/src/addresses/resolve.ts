import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Every address of a name, asked once. */
export type Resolve = (host: string) => Promise<readonly Address[]>;

export interface AddressRules {
  readonly resolve: Resolve;
  /** `isGlobalUnicast`, except in development. */
  readonly isAllowedAddress: (address: string) => boolean;
}

const MAX_ADDRESSES = 16;

export const resolveBySystem: Resolve = async (host) => {
  const found = await lookup(host, { all: true, order: 'verbatim' });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

export type Checked =
  | { readonly ok: true; readonly addresses: readonly Address[] }
  | { readonly ok: false; readonly refusal: 'address-refused' | 'name-unknown' };

/**
 * The addresses that a request to `hostname` may be sent to. One that is not public refuses them all: a name that has both is
 * how a private one is reached on the second try. Never says which address it was.
 */
export async function checkedAddresses(hostname: string, { resolve, isAllowedAddress }: AddressRules): Promise<Checked> {
  const literal = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  const family = isIP(literal);
  let addresses: readonly Address[];
  try {
    addresses = family === 0 ? await resolve(hostname) : [{ address: literal, family: family === 6 ? 6 : 4 }];
  } catch {
    return { ok: false, refusal: 'name-unknown' };
  }
  if (addresses.length === 0) return { ok: false, refusal: 'name-unknown' };
  if (!addresses.every(({ address }) => isAllowedAddress(address))) return { ok: false, refusal: 'address-refused' };
  return { ok: true, addresses: addresses.slice(0, MAX_ADDRESSES) };
}

/** Gives a connection the checked addresses whatever name it asks for: the name is not asked a second time, so it cannot answer differently. */
export function pinned(addresses: readonly Address[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}
