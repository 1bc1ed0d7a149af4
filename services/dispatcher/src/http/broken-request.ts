import type { Socket } from 'node:net';
import { faultOfCode, faultResponse } from './fault-response.ts';
import { traceOfRequest } from './request-trace.ts';

/** Node refuses longer header blocks itself; above the URL limit, so that a long URL gets an answer that names its limit. */
export const MAX_HEADER_BYTES = 32_768;

/** Bytes that are no HTTP request: there is no request object, only the socket. */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const trace = traceOfRequest(undefined);
  const fault = tooLarge
    ? faultOfCode('URL_TOO_LONG', { limit: MAX_HEADER_BYTES }, trace)
    : faultOfCode('INVALID_ARGUMENT', { problem: 'The bytes received are not an HTTP/1.1 request.' }, trace);
  const { body = '', headers } = faultResponse(fault, { annotations: [], retryAfterSeconds: 1 });
  const lines = Object.entries({ ...headers, 'OData-Version': '4.0', Connection: 'close', 'Content-Length': Buffer.byteLength(body) });
  const statusLine = tooLarge ? 'HTTP/1.1 431 Request Header Fields Too Large' : 'HTTP/1.1 400 Bad Request';
  socket.end(`${statusLine}\r\n${lines.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n${body}`);
}
