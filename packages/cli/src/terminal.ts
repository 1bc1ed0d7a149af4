import type { Paint } from './plan-text.ts';

/** What a command may use of the process that runs it. */
export interface Terminal {
  /** Results: one or more whole lines. */
  readonly print: (text: string) => void;
  /** Everything that is not the result. */
  readonly note: (text: string) => void;
  /** Asks a person; `undefined` where there is none. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
  readonly paint: Paint;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}
