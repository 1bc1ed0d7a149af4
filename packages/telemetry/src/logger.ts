import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** JSON lines on stdout; secrets never reach a log call, `redact` is the second fence. */
export function createLogger({ service, level }: { readonly service: string; readonly level: string }): Logger {
  return pino({
    level,
    base: { service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['token', '*.token', 'secureConfiguration', '*.secureConfiguration', 'authorization', '*.authorization'], censor: '[redacted]' },
  });
}
