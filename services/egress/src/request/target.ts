import type { EgressMethod, EgressTarget } from '@airlock/protocol';

export interface Target {
  readonly url: URL;
  readonly scheme: 'https' | 'http';
  /** As the URL standard writes it: lower case, punycode, an IPv4 address in dotted decimal however it was written. */
  readonly host: string;
  readonly port: number;
}

/** `undefined` for what is no http(s) address, and for one with user information, which is a way to make one host look like another. */
export function targetOf(text: string, base?: URL): Target | undefined {
  const url = URL.parse(text, base);
  if (url === null || url.username !== '' || url.password !== '' || url.hostname === '') return undefined;
  const scheme = url.protocol === 'https:' ? 'https' : url.protocol === 'http:' ? 'http' : undefined;
  if (scheme === undefined) return undefined;
  url.hash = '';
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
  // Port 0 parses, and is no port that anything listens on.
  return port === 0 ? undefined : { url, scheme, host: url.hostname, port };
}

/** Exactly the scheme, the host and the port of a grant, and one of its methods. */
export function isGranted({ scheme, host, port }: Target, method: EgressMethod, targets: readonly EgressTarget[]): boolean {
  return targets.some((each) => each.scheme === scheme && each.host === host && each.port === port && each.methods.includes(method));
}

/** For messages: never the path or the query, which may hold secrets. */
export const nameOf = ({ scheme, host, port }: Target): string => `${scheme}://${host}:${port}`;
