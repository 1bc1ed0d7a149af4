import { run } from '../run.ts';
import type { ContractServer } from './contract-server.ts';

interface Situation {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly answer?: boolean;
}

/** Runs one command line and keeps all that it wrote. */
export async function airlock(args: readonly string[], { cwd = '/', env = {}, answer }: Situation = {}) {
  const out: string[] = [];
  const notes: string[] = [];
  const questions: string[] = [];
  const confirm = async (question: string) => {
    questions.push(question);
    return answer === true;
  };
  const code = await run(args, {
    print: (text) => out.push(text),
    note: (text) => notes.push(text),
    confirm: answer === undefined ? undefined : confirm,
    paint: (_, text) => text,
    env,
    cwd,
  });
  return { code, out: out.join('\n'), notes: notes.join('\n'), questions };
}

export const at = ({ url, token }: ContractServer) => ({ AIRLOCK_URL: url, AIRLOCK_TOKEN: token });
