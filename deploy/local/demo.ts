/** `npm start -- --demo`: what the examples do to operations, step by step, over HTTP, each with what was expected of it. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, type Api, call, member } from './api.ts';

interface DemoRun {
  readonly api: Api;
  /** Tells this run's rows from those of another one. */
  readonly tag: string;
  accountId: string;
}

interface DemoStep {
  readonly title: string;
  /** Answers what it saw; throws `Unexpected` when that is not what must happen. */
  run(run: DemoRun): Promise<{ readonly answer: Answer; readonly saw: string }>;
}

class Unexpected extends Error {
  override readonly name = 'Unexpected';
}

function expectThat(holds: boolean, problem: string, answer: Answer): void {
  if (!holds) throw new Unexpected(`${problem}\n     answer: ${answer.status} ${JSON.stringify(answer.body)} (trace ${answer.traceId})`);
}

const messageOf = (answer: Answer) => String(member(answer.body, 'error', 'message'));
const codeOf = (answer: Answer) => String(member(answer.body, 'error', 'code')).toLowerCase();
const rowsOf = (answer: Answer): readonly unknown[] => {
  const rows = member(answer.body, 'value');
  return Array.isArray(rows) ? rows : [];
};
const query = (text: string) => encodeURIComponent(text);
const tasksOf = (run: DemoRun) => call(run.api, 'GET', `tasks?$select=subject&$filter=${query(`_regardingobjectid_value eq ${run.accountId}`)}`);

/** The line of the example that breaks, counted from its source, as the trace log must name it. */
async function breakingLine(): Promise<string> {
  const text = await readFile(new URL('../../examples/unexpected-error/src/price-list.ts', import.meta.url), 'utf8');
  return `price-list.ts:${text.split('\n').findIndex((line) => line.includes('list.currency.code')) + 1}`;
}

/** Trace log rows are written after the answer; the wait for them is bounded. */
async function traceLogOf(run: DemoRun, traceId: string, wanted: string): Promise<Answer> {
  let answer = await call(run.api, 'GET', `/api/airlock/v1/traces/${traceId}`);
  for (let tries = 0; tries < 50 && !JSON.stringify(answer.body ?? '').includes(wanted); tries++) {
    await delay(100);
    answer = await call(run.api, 'GET', `/api/airlock/v1/traces/${traceId}`);
  }
  return answer;
}

const STEPS: readonly DemoStep[] = [
  {
    title: 'a new account gets its number, and its telephone number in one form',
    run: async (run) => {
      const body = { name: `Contoso ${run.tag}`, telephone1: '044 668 18 00', revenue: 500_000, creditlimit: 1_000 };
      const answer = await call(run.api, 'POST', 'accounts', { body, headers: { prefer: 'return=representation' } });
      expectThat(answer.status === 201, 'expected 201 and the record', answer);
      const number = String(member(answer.body, 'accountnumber'));
      const telephone = String(member(answer.body, 'telephone1'));
      expectThat(number.startsWith('CON-'), 'expected an account number that begins with CON-', answer);
      expectThat(telephone === '+41 44 668 18 00', 'expected the international form of the telephone number', answer);
      run.accountId = String(member(answer.body, 'accountid'));
      return { answer, saw: `${number}, ${telephone}` };
    },
  },
  {
    title: 'a follow-up task was created in the same transaction',
    run: async (run) => {
      const answer = await tasksOf(run);
      const subjects = rowsOf(answer).map((row) => String(member(row, 'subject')));
      expectThat(
        subjects.some((subject) => subject.startsWith('Welcome')),
        'expected a task that welcomes the account',
        answer,
      );
      return { answer, saw: subjects.join('; ') };
    },
  },
  {
    title: 'a credit limit that is too high is rejected in the words of the plug-in, and nothing stays',
    run: async (run) => {
      const name = `Too much ${run.tag}`;
      const answer = await call(run.api, 'POST', 'accounts', { body: { name, creditlimit: 5_000_000, revenue: 1_000 } });
      expectThat(answer.status >= 400 && answer.status < 500 && codeOf(answer) === '0x80040265', 'expected a rejection (0x80040265)', answer);
      expectThat(messageOf(answer).startsWith('The credit limit of 5,000,000 exceeds'), "expected the plug-in's own message", answer);
      const left = await call(run.api, 'GET', `accounts?$select=name&$filter=${query(`name eq '${name}'`)}`);
      expectThat(left.status === 200 && rowsOf(left).length === 0, 'expected no such account afterwards', left);
      return { answer, saw: messageOf(answer) };
    },
  },
  {
    title: 'a plug-in that breaks gives the caller a general text, and its author the line',
    run: async (run) => {
      const answer = await call(run.api, 'POST', 'accounts', { body: { name: 'Break me' } });
      expectThat(answer.status === 500 && codeOf(answer) === '0x80040224', 'expected 0x80040224', answer);
      expectThat(messageOf(answer).startsWith('An unexpected error occurred from ISV code.'), 'expected the general text', answer);
      expectThat(!JSON.stringify(answer.body).includes('price-list'), 'expected no stack trace in the answer', answer);
      const line = await breakingLine();
      const log = await traceLogOf(run, answer.traceId, line);
      expectThat(JSON.stringify(log.body ?? '').includes(line), `expected ${line} in the trace log`, log);
      return { answer, saw: `${messageOf(answer)} Trace log: ${line}` };
    },
  },
  {
    title: 'an update of the credit limit runs the step that filters on it',
    run: async (run) => {
      const answer = await call(run.api, 'PATCH', `accounts(${run.accountId})`, { body: { creditlimit: 2_000 } });
      expectThat(answer.status === 204, 'expected 204', answer);
      const tasks = await tasksOf(run);
      expectThat(rowsOf(tasks).length === 2, 'expected a second task', tasks);
      return {
        answer,
        saw: rowsOf(tasks)
          .map((row) => String(member(row, 'subject')))
          .join('; '),
      };
    },
  },
  {
    title: 'an update of another column does not',
    run: async (run) => {
      const answer = await call(run.api, 'PATCH', `accounts(${run.accountId})`, { body: { numberofemployees: 12 } });
      expectThat(answer.status === 204, 'expected 204', answer);
      const tasks = await tasksOf(run);
      expectThat(rowsOf(tasks).length === 2, 'expected no further task', tasks);
      return { answer, saw: 'still two tasks' };
    },
  },
  {
    title: 'a write that is based on an old version is refused',
    run: async (run) => {
      const before = await call(run.api, 'GET', `accounts(${run.accountId})?$select=name`);
      const etag = String(member(before.body, '@odata.etag') ?? before.etag);
      const first = await call(run.api, 'PATCH', `accounts(${run.accountId})`, { body: { numberofemployees: 13 }, headers: { 'if-match': etag } });
      expectThat(first.status === 204, 'expected the first write to succeed', first);
      const answer = await call(run.api, 'PATCH', `accounts(${run.accountId})`, { body: { numberofemployees: 14 }, headers: { 'if-match': etag } });
      expectThat(answer.status === 412, 'expected 412 for the second write', answer);
      return { answer, saw: `412 ${messageOf(answer)}` };
    },
  },
  {
    title: 'the account and its tasks are deleted',
    run: async (run) => {
      for (const row of rowsOf(await tasksOf(run))) {
        const gone = await call(run.api, 'DELETE', `tasks(${String(member(row, 'activityid') ?? member(row, 'taskid'))})`);
        expectThat(gone.status === 204, 'expected 204 for the task', gone);
      }
      const answer = await call(run.api, 'DELETE', `accounts(${run.accountId})`);
      expectThat(answer.status === 204, 'expected 204', answer);
      const after = await call(run.api, 'GET', `accounts(${run.accountId})`);
      expectThat(after.status === 404, 'expected 404 afterwards', after);
      return { answer, saw: `404 ${messageOf(after)}` };
    },
  },
];

/** True when everything was as expected. A step that was not ends the run: the later ones build on it. */
export async function runDemo(api: Api): Promise<boolean> {
  const run: DemoRun = { api, tag: Date.now().toString(36), accountId: '' };
  for (const [index, step] of STEPS.entries()) {
    try {
      const { answer, saw } = await step.run(run);
      console.log(`${index + 1}. ${step.title}\n     ${saw}\n     ${answer.durationMs.toFixed(1)} ms, trace ${answer.traceId}`);
    } catch (error) {
      console.log(`${index + 1}. ${step.title}\n     FAILED: ${error instanceof Unexpected ? error.message : String(error)}`);
      return false;
    }
  }
  console.log(`\nAll ${STEPS.length} steps went as expected.`);
  return true;
}
