import { cleanText } from '@airlock/protocol';
import { z } from 'zod';
import { ApiError } from './api-error.ts';

/** Where the API is, and the right to use it. */
export interface Connection {
  /** `http://127.0.0.1:8080`, without the API's own path. */
  readonly url: string;
  readonly token: string;
  /** For one request and its whole answer; default 60 000. */
  readonly timeoutMs?: number;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/api/airlock/v1/`, or with a slash in front below the server's own root; every part of it that is data is already encoded. */
  readonly path: string;
  readonly body?: unknown;
}

const API = 'api/airlock/v1/';
const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
const MAX_MESSAGE_CHARS = 16_384;

const ErrorAnswer = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** Sends one request and answers what `schema` makes of the JSON. Throws {@link ApiError}. */
export async function callApi<T>(connection: Connection, request: ApiRequest, schema: z.ZodType<T>): Promise<T> {
  const { response, text } = await exchange(connection, request);
  if (!response.ok) throw refusal(response, text);
  const parsed = schema.safeParse(text === '' ? undefined : parseJson(text));
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues[0];
  const about = `${problem?.path.join('.') ?? ''} ${problem?.message ?? ''}`.trim();
  throw new ApiError(
    `The server's answer to ${request.method} ${request.path} is not as the API describes it (${about}). Are client and server of one version?`,
    {
      status: response.status,
    },
  );
}

async function exchange(connection: Connection, { method, path, body }: ApiRequest): Promise<{ response: Response; text: string }> {
  const target = new URL(path.startsWith('/') ? path.slice(1) : API + path, connection.url.endsWith('/') ? connection.url : `${connection.url}/`);
  const timeoutMs = connection.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const headers: Record<string, string> = { accept: 'application/json', authorization: `Bearer ${connection.token}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  try {
    const response = await fetch(target, {
      method,
      headers,
      // A redirect would hand the token to whoever the server names.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { response, text: await readText(response) };
  } catch (error) {
    throw unreachable(error, target, timeoutMs);
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new ApiError(`The server's answer has more than ${MAX_ANSWER_BYTES} bytes.`, { status: response.status });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreachable(error: unknown, target: URL, timeoutMs: number): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new ApiError(
      `${target.origin} gave no answer within ${timeoutMs} ms. Nothing is known about what it did; the same command may be run again.`,
    );
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ECONNREFUSED') return new ApiError(`Nothing answers at ${target.origin}. Is Airlock started there?`, { cause: error });
  const reason = cause instanceof Error ? cause.message : error instanceof Error ? error.message : String(error);
  return new ApiError(`${target.origin} cannot be reached: ${reason}`, { cause: error });
}

function refusal(response: Response, text: string): ApiError {
  const traceId = cleanText(response.headers.get('x-airlock-trace-id') ?? '', 64);
  const parsed = ErrorAnswer.safeParse(parseJson(text));
  if (!parsed.success)
    return new ApiError(`The server answered ${response.status} without saying why. Is it an Airlock server?`, { status: response.status, traceId });
  const { code, message } = parsed.data.error;
  return new ApiError(cleanText(message, MAX_MESSAGE_CHARS), { code: cleanText(code, 64), status: response.status, traceId });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
