import { currentMs } from './clock.ts';
import { traceLine } from './execution.ts';
import { show } from './inspect.ts';
import { define } from './primordials.ts';

const MAX_INDENT = 32;
const MAX_LABELS = 1_000;

/** `console` writes to the trace; anything but `log` and `info` says its level in front. */
export function installConsole(): void {
  let indent = '';
  const counts = new Map<string, number>();
  const times = new Map<string, number>();
  const write = (prefix: string, parts: readonly unknown[]): void => traceLine(indent + prefix + format(parts));
  const console = {
    log: (...parts: unknown[]) => write('', parts),
    info: (...parts: unknown[]) => write('', parts),
    debug: (...parts: unknown[]) => write('debug: ', parts),
    warn: (...parts: unknown[]) => write('warn: ', parts),
    error: (...parts: unknown[]) => write('error: ', parts),
    trace: (...parts: unknown[]) => write('trace: ', parts),
    dir: (value: unknown) => write('', [value]),
    dirxml: (...parts: unknown[]) => write('', parts),
    table: (value: unknown) => write('', [value]),
    assert: (condition: unknown, ...parts: unknown[]) => {
      if (!condition) write('assertion failed: ', parts);
    },
    group: (...parts: unknown[]) => {
      if (parts.length > 0) write('', parts);
      if (indent.length < MAX_INDENT) indent += '  ';
    },
    groupCollapsed: (...parts: unknown[]) => console.group(...parts),
    groupEnd: () => {
      indent = indent.slice(2);
    },
    count: (label: unknown = 'default') => {
      const name = show(label);
      const count = (counts.get(name) ?? 0) + 1;
      if (counts.size < MAX_LABELS) counts.set(name, count);
      write('', [`${name}: ${count}`]);
    },
    countReset: (label: unknown = 'default') => void counts.delete(show(label)),
    time: (label: unknown = 'default') => {
      if (times.size < MAX_LABELS) times.set(show(label), currentMs());
    },
    timeLog: (label: unknown = 'default') => write('', [`${show(label)}: ${currentMs() - (times.get(show(label)) ?? currentMs())} ms`]),
    timeEnd: (label: unknown = 'default') => {
      console.timeLog(label);
      times.delete(show(label));
    },
    clear: () => undefined,
  };
  define(globalThis, 'console', console);
}

/** `%s`, `%d`, `%i`, `%f`, `%o`, `%O`, `%j` and `%%` of the first part, then the rest with spaces between. */
function format(parts: readonly unknown[]): string {
  const [first, ...rest] = parts;
  if (typeof first !== 'string' || !first.includes('%')) return parts.map(show).join(' ');
  let next = 0;
  const text = first.replace(/%[sdifoOjc%]/g, (directive) => {
    if (directive === '%%') return '%';
    if (next >= rest.length) return directive;
    const value = rest[next];
    next += 1;
    if (directive === '%c') return '';
    if (directive === '%d' || directive === '%f') return typeof value === 'object' ? 'NaN' : String(Number(value));
    if (directive === '%i') return typeof value === 'object' ? 'NaN' : String(Math.trunc(Number(value)));
    return show(value);
  });
  return [text, ...rest.slice(next).map(show)].join(' ');
}
