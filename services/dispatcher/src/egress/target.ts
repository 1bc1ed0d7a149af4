import { type EgressMethod, type EgressTarget, PlatformError } from '@airlock/protocol';

export interface Target {
  readonly scheme: 'https' | 'http';
  readonly host: string;
  readonly port: number;
}

const portOf = (scheme: Target['scheme'], text: string): number => (text === '' ? (scheme === 'https' ? 443 : 80) : Number(text));

/** What a URL leads to; `undefined` for what is no http(s) address without user information. The egress process checks it again, and every redirect. */
export function targetOf(text: string): Target | undefined {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.hostname === '') return undefined;
  const scheme = url.protocol === 'https:' ? 'https' : url.protocol === 'http:' ? 'http' : undefined;
  return scheme === undefined ? undefined : { scheme, host: url.hostname, port: portOf(scheme, url.port) };
}

/** A host as an operator writes it, in the form in which URLs are compared with it. Throws when it is anything more or less than a host. */
export function canonicalHost(text: string): string {
  // A port, a path or user information in it would parse, and silently grant something else than what stands there.
  const host = /^[^\s:/?#@\\[\]]+$|^\[[0-9A-Fa-f:.]+\]$/.test(text) ? URL.parse(`https://${text}/`)?.hostname : undefined;
  if (host !== undefined && host !== '') return host;
  const problem = `host must be the name or the address of one host, without scheme, port or path: ${JSON.stringify(text.slice(0, 80))}`;
  throw new PlatformError('INVALID_ARGUMENT', { problem });
}

export function isGranted({ scheme, host, port }: Target, method: EgressMethod, targets: readonly EgressTarget[]): boolean {
  return targets.some((each) => each.scheme === scheme && each.host === host && each.port === port && each.methods.includes(method));
}
