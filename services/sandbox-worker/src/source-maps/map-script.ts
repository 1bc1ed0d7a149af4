/**
 * Puts the author's places into stacks. Runs inside an isolate of its own in a sandbox process: a source map is the upload of
 * an author, and up to 8 MiB of it. The function is handed over as text, so it may use nothing from outside itself.
 * (Source map revision 3: `mappings` holds lines between `;`, segments between `,`, base64 VLQ numbers relative to the ones before.)
 */
function mapStacks(stacksJson: string, mapJson: string, lineOffset: number): string {
  type Place = { column: number; source: number; line: number; sourceColumn: number };
  const stacks = JSON.parse(stacksJson) as string[];
  const map = JSON.parse(mapJson) as { mappings: string; sources: (string | null)[]; sourceRoot?: string };
  const FRAME = /^(\s*at .*?\(?)([^\s()]+):(\d+):(\d+)(\)?)$/;

  const wanted = new Set<number>();
  for (const stack of stacks) {
    for (const text of stack.split('\n')) {
      const match = FRAME.exec(text);
      if (match !== null) wanted.add(Number(match[3]) - 1 - lineOffset);
    }
  }
  const last = Math.max(-1, ...wanted);
  const lines = new Map<number, Place[]>();
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const valueOf = new Map([...digits].map((digit, value) => [digit, value]));
  let [line, column, source, sourceLine, sourceColumn] = [0, 0, 0, 0, 0];
  let numbers: number[] = [];
  let [value, shift] = [0, 0];

  const endSegment = (): void => {
    const [a, b, c, d] = numbers;
    if (a !== undefined) column += a;
    if (a !== undefined && b !== undefined && c !== undefined && d !== undefined) {
      source += b;
      sourceLine += c;
      sourceColumn += d;
      if (wanted.has(line)) {
        const places = lines.get(line) ?? [];
        places.push({ column, source, line: sourceLine, sourceColumn });
        lines.set(line, places);
      }
    }
    numbers = [];
  };
  const { mappings } = map;
  for (let i = 0; i < mappings.length && line <= last; i += 1) {
    const char = mappings[i] as string;
    if (char === ',' || char === ';') {
      endSegment();
      if (char === ';') {
        line += 1;
        column = 0;
      }
      continue;
    }
    const digit = valueOf.get(char) ?? 0;
    value += (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    numbers.push((value & 1) === 1 ? -(value >>> 1) : value >>> 1);
    [value, shift] = [0, 0];
  }
  endSegment();

  const mapFrame = (text: string): string => {
    const match = FRAME.exec(text);
    if (match === null) return text;
    const [, before = '', , at = '', atColumn = '', after = ''] = match;
    const places = lines.get(Number(at) - 1 - lineOffset) ?? [];
    // The last segment that begins at or before the column.
    const place = places.findLast((one) => one.column <= Number(atColumn) - 1);
    const name = place === undefined ? undefined : map.sources[place.source];
    if (place === undefined || typeof name !== 'string') return text;
    const root = typeof map.sourceRoot === 'string' && map.sourceRoot !== '' ? `${map.sourceRoot.replace(/\/$/, '')}/` : '';
    return `${before}${root}${name}:${place.line + 1}:${place.sourceColumn + 1}${after}`;
  };
  return JSON.stringify(stacks.map((stack) => stack.split('\n').map(mapFrame).join('\n')));
}

export const mapScriptFor = (lineOffset: number): string => `return (${mapStacks.toString()})($0, $1, ${lineOffset});`;
