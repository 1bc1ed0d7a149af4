import { cleanText, type PlannedChange, type PushResult } from '@airlock/protocol';

type Style = 'green' | 'yellow' | 'red' | 'dim' | 'bold';
/** Colours a text, or leaves it as it is where the output is not a terminal. */
export type Paint = (style: Style, text: string) => string;

const marks = {
  create: { mark: '+', style: 'green' },
  update: { mark: '~', style: 'yellow' },
  delete: { mark: '-', style: 'red' },
  unchanged: { mark: ' ', style: 'dim' },
} as const satisfies Record<PlannedChange['action'], { readonly mark: string; readonly style: Style }>;

const MAX_VALUE_CHARS = 120;
const MAX_NAME_CHARS = 512;

/** The plan as people read it: one line a change, one more for each field that differs. Unchanged things are only counted. */
export function planText({ bundle, changes, warnings }: Pick<PushResult, 'bundle' | 'changes' | 'warnings'>, paint: Paint): string {
  const head = paint('bold', `${oneLine(bundle.name, MAX_NAME_CHARS)} ${oneLine(bundle.version, 64)}`);
  const lines = [`${head} ${paint('dim', `sha256 ${oneLine(bundle.digest, 12)}`)}`];
  for (const change of changes) {
    if (change.action !== 'unchanged') lines.push(...changeLines(change, paint));
  }
  for (const warning of warnings) lines.push(paint('yellow', `  ! ${oneLine(warning, 2_048)}`));
  return [...lines, countsText(changes)].join('\n');
}

function changeLines({ action, what, name, differences }: PlannedChange, paint: Paint): string[] {
  const { mark, style } = marks[action];
  const width = Math.max(0, ...differences.map(({ field }) => field.length));
  return [
    paint(style, `  ${mark} ${what} "${oneLine(name, MAX_NAME_CHARS)}"`),
    ...differences.map(({ field, from, to }) => `      ${oneLine(field, 64).padEnd(width)}  ${shown(from)} → ${shown(to)}`),
  ];
}

function countsText(changes: PushResult['changes']): string {
  const count = (action: PlannedChange['action']): number => changes.filter((change) => change.action === action).length;
  if (changes.every(({ action }) => action === 'unchanged')) return 'Nothing to change.';
  return `${count('create')} to create, ${count('update')} to update, ${count('delete')} to delete, ${count('unchanged')} unchanged.`;
}

function shown(value: string): string {
  const text = oneLine(value, MAX_VALUE_CHARS + 1);
  return JSON.stringify(text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}…` : text);
}

/** Text of somebody else never moves the cursor of a terminal, nor makes a line of its own. */
export function oneLine(text: string, max: number): string {
  return cleanText(text, max).replace(/[\n\t]+/g, ' ');
}
