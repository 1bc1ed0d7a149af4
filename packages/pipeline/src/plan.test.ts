import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { step, uuid } from './fixtures.ts';
import type { StepId } from './ids.ts';
import { explainSkipped, indexSteps, type Plan, planMessage } from './plan.ts';
import type { Step } from './step.ts';

const id = (n: number) => uuid(n) as StepId;
const update = { messageName: 'Update', tableName: 'account', customStepsAllowed: true, requestColumns: ['name'] };
const planned = (steps: readonly Step[], request: Parameters<typeof planMessage>[1] = update) => planMessage(indexSteps(steps), request);
const order = (plan: Plan) =>
  [plan.preValidation, plan.preOperation, plan.postOperation, plan.asynchronous].map((steps) => steps.map(({ name }) => name));

describe('selection', () => {
  test('statement 13: a step that is registered twice runs twice', () => {
    expect(planned([step({ id: id(1) }), step({ id: id(2) })]).preOperation).toHaveLength(2);
  });

  test('statement 14: a disabled step does not run, and runs again when it is enabled', () => {
    expect(planned([step({ enabled: false })]).preOperation).toHaveLength(0);
    expect(planned([step({ enabled: true })]).preOperation).toHaveLength(1);
  });

  test('statement 16: a filter keeps an update away that carries none of its columns', () => {
    const steps = [step({ filteringAttributes: ['name', 'telephone1'] })];
    expect(planned(steps, { ...update, requestColumns: ['fax'] }).preOperation).toHaveLength(0);
    expect(planned(steps, { ...update, requestColumns: ['fax', 'name'] }).preOperation).toHaveLength(1);
    expect(planned(steps, { messageName: 'Update', tableName: 'account', customStepsAllowed: true }).preOperation).toHaveLength(0);
  });

  test.for(['Create', 'Delete', 'Retrieve'])('statement 17: filtering columns never keep a step on %s away', (messageName) => {
    const steps = [step({ messageName, filteringAttributes: ['name'] })];
    expect(planned(steps, { messageName, tableName: 'account', customStepsAllowed: true, requestColumns: ['fax'] }).preOperation).toHaveLength(1);
  });

  test('statement 18: a step without a table runs for tables with and without steps of their own', () => {
    const everyTable = step({ id: id(2), name: 'every', primaryTable: undefined, rank: 0 });
    const steps = [step({ name: 'account only' }), everyTable];
    expect(order(planned(steps))[1]).toEqual(['every', 'account only']);
    expect(order(planned(steps, { ...update, tableName: 'task' }))[1]).toEqual(['every']);
  });

  test('statement 3: nothing runs on a table that allows no custom steps, not even a step for every table', () => {
    expect(order(planned([step({ primaryTable: undefined })], { ...update, customStepsAllowed: false })).flat()).toEqual([]);
  });

  test('a message without steps has an empty plan', () => {
    expect(order(planned([step()], { ...update, messageName: 'Delete' })).flat()).toEqual([]);
  });
});

describe('order', () => {
  test('statement 15: ranks 3, 1, 2 run as 1, 2, 3', () => {
    const steps = [3, 1, 2].map((rank) => step({ id: id(rank), name: `rank ${rank}`, rank }));
    expect(order(planned(steps))[1]).toEqual(['rank 1', 'rank 2', 'rank 3']);
  });

  test('statement 19: stages are apart, and asynchronous steps come after all synchronous ones', () => {
    const steps = [
      step({ id: id(1), name: 'job', stage: 40, mode: 1, rank: 0 }),
      step({ id: id(2), name: 'post', stage: 40, rank: 9 }),
      step({ id: id(3), name: 'pre', stage: 20 }),
      step({ id: id(4), name: 'validate', stage: 10, rank: 99 }),
    ];
    expect(order(planned(steps))).toEqual([['validate'], ['pre'], ['post'], ['job']]);
  });

  test('equal ranks run in the order of registration, then of id', () => {
    const steps = [
      step({ id: id(3), name: 'c', createdOn: 2 }),
      step({ id: id(2), name: 'b', createdOn: 1 }),
      step({ id: id(1), name: 'a', createdOn: 2 }),
    ];
    expect(order(planned(steps))[1]).toEqual(['b', 'a', 'c']);
  });

  const anyStep = fc
    .record({
      id: fc.integer({ min: 1, max: 1_000_000 }).map(id),
      stage: fc.constantFrom(10, 20, 40),
      rank: fc.integer({ min: 0, max: 2 }),
      createdOn: fc.integer({ min: 0, max: 2 }),
      enabled: fc.boolean(),
      primaryTable: fc.constantFrom('account', 'task', undefined),
      filteringAttributes: fc.subarray(['name', 'fax']),
      messageName: fc.constantFrom('Update', 'Create'),
    })
    .map(step);
  const anySteps = fc.uniqueArray(anyStep, { selector: (one) => one.id, maxLength: 12 });

  test('the plan does not depend on the order in which steps are given', () =>
    fc.assert(
      fc.property(anySteps, fc.infiniteStream(fc.nat()), fc.subarray(['name', 'fax', 'city']), (steps, keys, requestColumns) => {
        const shuffled = steps.map((one) => ({ one, key: keys.next().value })).toSorted((a, b) => a.key - b.key);
        const request = { ...update, requestColumns };
        expect(
          planned(
            shuffled.map(({ one }) => one),
            request,
          ),
        ).toEqual(planned(steps, request));
      }),
    ));

  test('each step of the message is either in the plan or explained, never both', () =>
    fc.assert(
      fc.property(anySteps, fc.subarray(['name', 'fax', 'city']), fc.boolean(), (steps, requestColumns, customStepsAllowed) => {
        const request = { ...update, requestColumns, customStepsAllowed };
        const index = indexSteps(steps);
        const plan = planMessage(index, request);
        const running = [...plan.preValidation, ...plan.preOperation, ...plan.postOperation, ...plan.asynchronous];
        const both = [...running, ...explainSkipped(index, request).map((skipped) => skipped.step)].map((one) => one.id);
        expect(both.toSorted()).toEqual(
          steps
            .filter((one) => one.messageName === 'Update')
            .map((one) => one.id)
            .toSorted(),
        );
      }),
    ));
});

test('planning reads no step of another table or message, however many there are', () => {
  let reads = 0;
  const watched = (one: Step) => new Proxy(one, { get: (target, key, self) => ((reads += 1), Reflect.get(target, key, self) as unknown) });
  const others = Array.from({ length: 200 }, (_, n) => watched(step({ id: id(n + 10), primaryTable: `table${n}`, filteringAttributes: ['name'] })));
  const index = indexSteps([step({ filteringAttributes: ['name'] }), ...others]);
  reads = 0;
  expect(planMessage(index, update).preOperation).toHaveLength(1);
  expect(reads).toBe(0);
});

test('EXPLAIN names why a step does not run', () => {
  const index = indexSteps([
    step({ id: id(1), enabled: false }),
    step({ id: id(2), filteringAttributes: ['fax'] }),
    step({ id: id(3), primaryTable: 'task' }),
    step({ id: id(4) }),
  ]);
  const reasons = explainSkipped(index, update).map(({ step: { id: stepId }, reason }) => [stepId, reason]);
  expect(reasons).toEqual([
    [id(1), 'disabled'],
    [id(2), 'filter'],
    [id(3), 'other-table'],
  ]);
});

describe('images', () => {
  const image = (imageType: 0 | 1 | 2, attributes?: readonly string[]) => [
    { entityAlias: 'i', imageType, messagePropertyName: 'Target', attributes },
  ];

  test('nothing is read when no step asks', () => {
    expect(planned([step()]).images).toEqual({ preValidation: undefined, pre: undefined, post: undefined });
  });

  test('the columns of one row are the union of what the steps ask for', () => {
    const steps = [
      step({ id: id(1), images: image(0, ['name']) }),
      step({ id: id(2), stage: 40, images: image(2, ['fax', 'name']) }),
      step({ id: id(3), stage: 40, mode: 1, images: image(1, ['city']) }),
    ];
    expect(planned(steps).images).toEqual({
      preValidation: undefined,
      pre: { columns: ['fax', 'name'] },
      post: { columns: ['city', 'fax', 'name'] },
    });
  });

  test('one step that wants every column makes it every column', () => {
    const steps = [step({ id: id(1), images: image(0, ['name']) }), step({ id: id(2), images: image(0) })];
    expect(planned(steps).images.pre).toEqual({ columns: undefined });
  });

  test('a PreValidation image is told apart: it is read before the transaction', () => {
    expect(planned([step({ stage: 10, images: image(0, ['name']) })]).images).toEqual({
      preValidation: { columns: ['name'] },
      pre: undefined,
      post: undefined,
    });
  });

  test('a step that its filter keeps away needs no image', () => {
    const steps = [step({ id: id(1) }), step({ id: id(2), filteringAttributes: ['fax'], images: image(0) })];
    expect(planned(steps).images.pre).toBeUndefined();
  });
});
