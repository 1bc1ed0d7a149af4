/** A small client of the HTTP API: a status, headers and a parsed body, never a thrown status. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed when it is JSON, the text when it is not, `undefined` when there is none. */
  readonly body: unknown;
}

export interface HttpClient {
  readonly url: string;
  readonly token: string;
  request(method: string, path: string, options?: RequestOptions): Promise<HttpAnswer>;
  /** The same client with another caller's key. */
  as(token: string): HttpClient;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

function parseBody(text: string, type: string): unknown {
  if (text === '') return undefined;
  return type.includes('json') ? JSON.parse(text) : text;
}

/** `path` is below the server's root; a path without a leading slash is below the Web API's service root. */
export function httpClient(url: string, token: string): HttpClient {
  return {
    url,
    token,
    as: (other) => httpClient(url, other),
    request: async (method, path, { body, headers = {}, timeoutMs = 30_000 } = {}) => {
      const target = new URL(path.startsWith('/') ? path : `/api/data/v9.2/${path}`, url);
      const response = await fetch(target, {
        method,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      return {
        status: response.status,
        headers: response.headers,
        body: parseBody(await response.text(), response.headers.get('content-type') ?? ''),
      };
    },
  };
}

/** The id in the `OData-EntityId` of an answer to a create. */
export function createdId(answer: HttpAnswer): string {
  const id = /\(([0-9a-f-]{36})\)$/.exec(answer.headers.get('odata-entityid') ?? '')?.[1];
  if (id === undefined) throw new Error(`the answer ${answer.status} names no created row: ${JSON.stringify(answer.body)}`);
  return id;
}
