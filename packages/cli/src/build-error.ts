/** One thing that is wrong with a project, and where. Lines and columns count from 1. */
export interface BuildProblem {
  readonly text: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

const SHOWN = 20;

/** The project cannot be built; nothing was written. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
  readonly problems: readonly BuildProblem[];

  constructor(problems: readonly BuildProblem[]) {
    const lines = problems.slice(0, SHOWN).map(problemText);
    if (problems.length > SHOWN) lines.push(`and ${problems.length - SHOWN} more`);
    super(lines.join('\n'));
    this.problems = problems;
  }
}

export function problemText({ text, file, line, column }: BuildProblem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return place === '' ? text : `${place}: ${text}`;
}
