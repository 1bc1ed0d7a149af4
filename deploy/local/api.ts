/** The few requests that the local launcher and its demonstration make. */
export interface Answer {
  readonly status: number;
  readonly traceId: string;
  readonly etag: string;
  readonly durationMs: number;
  readonly body: unknown;
}

export interface Api {
  readonly url: string;
  readonly token: string;
}

export interface Call {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

/** `path` is below the root of the server when it starts with a slash, else below the Web API's service root. */
export async function call({ url, token }: Api, method: string, path: string, { body, headers = {} }: Call = {}): Promise<Answer> {
  const startedAt = performance.now();
  const response = await fetch(new URL(path.startsWith('/') ? path : `/api/data/v9.2/${path}`, url), {
    method,
    signal: AbortSignal.timeout(60_000),
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    traceId: response.headers.get('x-airlock-trace-id') ?? '',
    etag: response.headers.get('etag') ?? '',
    durationMs: performance.now() - startedAt,
    body: parse(text),
  };
}

/** The member of an unknown body, `undefined` on the way there included. */
export function member(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const name of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = Reflect.get(current, name);
  }
  return current;
}
