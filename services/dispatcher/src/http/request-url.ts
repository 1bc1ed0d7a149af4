/** Which part of the server a request is for, decided on the raw URL: the router never sees what it could trip over. */
export type RequestTarget =
  | { readonly kind: 'data'; readonly rootPath: string; readonly path: string; readonly query: string }
  | { readonly kind: 'airlock'; readonly path: string; readonly query: string }
  | { readonly kind: 'health'; readonly probe: 'healthz' | 'readyz' }
  | { readonly kind: 'unknown' };

const DATA = /^(\/api\/data\/v9\.\d{1,2})(?:\/|$)/i;
const AIRLOCK = '/api/airlock/v1/';

export function targetOf(url: string): RequestTarget {
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? '' : url.slice(mark + 1);
  if (path === '/healthz' || path === '/readyz') return { kind: 'health', probe: path === '/healthz' ? 'healthz' : 'readyz' };
  const root = DATA.exec(path)?.[1];
  if (root !== undefined) return { kind: 'data', rootPath: `${root}/`, path: path.slice(root.length), query };
  if (path.startsWith(AIRLOCK) && isDecodable(path)) return { kind: 'airlock', path, query };
  return { kind: 'unknown' };
}

/** The URL that the router is given in its place. */
export function routerUrl(url: string): string {
  const target = targetOf(url);
  switch (target.kind) {
    case 'data':
      return '/data';
    case 'airlock':
      return target.path;
    case 'health':
      return `/${target.probe}`;
    case 'unknown':
      return '/unknown';
    default:
      return target satisfies never;
  }
}

const HOST = /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/** `https://host:port` for links in answers; a Host header that is no host name is not echoed. */
export function originOf(protocol: string, host: string | undefined): string {
  return `${protocol}://${host !== undefined && HOST.test(host) ? host : 'localhost'}`;
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
