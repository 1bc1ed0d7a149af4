import { GuestErrorWire, RejectionWire, ServiceRequest, ThrownWire } from '@airlock/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GuestIsolate, runLoaded, SEED, START_MS } from '../test-support/guest-isolate.ts';

function guestWith(code: string): GuestIsolate {
  const guest = new GuestIsolate();
  guest.call('load', code, 'bundle.js', START_MS, SEED);
  return guest;
}

const stateWith = (value: unknown): object => ({ inputParameters: {}, outputParameters: {}, sharedVariables: { value } });

test('whatever JSON value is thrown, the envelope is one of the protocol', async () => {
  using guest = guestWith(`module.exports = { execute(ctx) { throw ctx.executionContext.sharedVariables.value; } };`);
  const property = fc.asyncProperty(fc.jsonValue(), async (value) => {
    const { end } = await runLoaded(guest, { state: stateWith(value) });
    expect(ThrownWire.safeParse(JSON.parse(end?.text ?? '')).success).toBe(true);
    expect(JSON.parse(end?.text ?? '')).not.toHaveProperty('rejection');
  });
  await fc.assert(property, { numRuns: 60 });
});

test('whatever text and data a rejection is made of, it arrives as the protocol wants it', async () => {
  using guest = guestWith(
    `module.exports = { execute(ctx) { const { message, ...options } = ctx.executionContext.sharedVariables.value; throw new InvalidPluginExecutionException(message, options); } };`,
  );
  const data = fc.record({
    message: fc.string({ unit: 'binary', maxLength: 9_000 }),
    status: fc.integer({ min: 0, max: 4 }),
    errorCode: fc.integer(),
    httpStatus: fc.constantFrom(0, 400, 409, 503),
    exceptionDetails: fc.dictionary(fc.string({ maxLength: 20 }), fc.string({ maxLength: 50 }), { maxKeys: 8 }),
  });
  const property = fc.asyncProperty(data, async (value) => {
    const { end } = await runLoaded(guest, { state: stateWith(value) });
    const { rejection, error } = JSON.parse(end?.text ?? '') as { readonly rejection: Record<string, unknown>; readonly error: unknown };
    expect(RejectionWire.safeParse(rejection).success).toBe(true);
    expect(GuestErrorWire.safeParse(error).success).toBe(true);
    expect(rejection['message']).toBe(value.message.slice(0, 8_192));
    expect(Object.entries(rejection['details'] as object)).toEqual(Object.entries(value.exceptionDetails));
  });
  await fc.assert(property, { numRuns: 60 });
});

test('whatever JSON a step leaves in its collections comes back equal', async () => {
  using guest = guestWith(`module.exports = { execute() {} };`);
  const property = fc.asyncProperty(fc.jsonValue(), async (value) => {
    const { end } = await runLoaded(guest, { state: stateWith(value) });
    expect(JSON.parse(end?.text ?? '')).toEqual(JSON.parse(JSON.stringify(stateWith(value))));
  });
  await fc.assert(property, { numRuns: 60 });
});

test('what the service methods post is a request of the protocol', async () => {
  using guest = guestWith(`module.exports = { async execute({ organizationService: s, serviceFor }) {
    await s.create('a', { n: 1 }); await s.retrieve('a', 'b', ['n']); await s.update('a', 'b', { n: 2 }, { rowVersion: 1 }); await s.delete('a', 'b', { rowVersion: 1 });
    await serviceFor('u').retrieveMultiple({ table: 'a', columns: ['n'], conditions: [{ column: 'n', operator: 'gt', value: 1 }], orderBy: [{ column: 'n', descending: true }], top: 3 }); await s.execute('M'); } };`);
  const { posts, end } = await runLoaded(guest, { answer: () => ({ ok: true, text: '{"id":"x"}' }) });
  const requests = posts.filter((post) => post.kind === 'service').map((post) => ServiceRequest.safeParse(JSON.parse(post.text)).success);
  expect([end?.kind, requests]).toEqual(['done', [true, true, true, true, true, true]]);
});

test('a rejection that nobody awaits does not take the end away', async () => {
  using guest = guestWith(`module.exports = { execute() { Promise.reject(new Error('nobody waits')); Promise.reject(null); } };`);
  const run = await runLoaded(guest);
  expect(guest.posts.map((post) => post.kind)).toEqual(['done']);
  expect(run.escaped).not.toBe(undefined);
});
