import { expect, test } from 'vitest';
import { type AnswerService, evaluate, runBundle, snapshotOf } from '../test-support/guest-isolate.ts';

const answerOf = (over: object = {}): AnswerService => {
  const answer = { status: 200, statusText: 'OK', url: 'https://example.com/', redirected: false, headers: [], body: '', ...over };
  return () => ({ ok: true, text: JSON.stringify(answer) });
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('a request posts what the protocol says, its body as base64', async () => {
  const code = `module.exports = { async execute() {
    await fetch('https://EXAMPLE.com:443/a b?q=1#part', { method: 'post', headers: { 'X-Mine': ' a ', Accept: 'x' }, body: 'ä' });
    await fetch(new URL('https://example.com'), { method: 'PUT', body: new Uint8Array([1, 2]).subarray(1), redirect: 'manual' });
    await fetch('https://example.com', { method: 'POST', body: new URLSearchParams({ a: '1&2' }) });
  } };`;
  const { posts, end } = await runBundle(code, { answer: answerOf() });
  expect(end?.kind).toBe('done');
  expect(posts.filter(({ kind }) => kind === 'fetch').map(({ text }) => JSON.parse(text) as unknown)).toEqual([
    {
      url: 'https://example.com/a%20b?q=1#part',
      method: 'POST',
      redirect: 'follow',
      headers: [
        ['accept', 'x'],
        ['content-type', 'text/plain;charset=UTF-8'],
        ['x-mine', 'a'],
      ],
      body: base64('ä'),
    },
    { url: 'https://example.com/', method: 'PUT', redirect: 'manual', headers: [], body: 'Ag==' },
    {
      url: 'https://example.com/',
      method: 'POST',
      redirect: 'follow',
      headers: [['content-type', 'application/x-www-form-urlencoded;charset=UTF-8']],
      body: base64('a=1%262'),
    },
  ]);
});

test('an answer is a Response with status, headers and a body that is read once', async () => {
  const body = `const response = await fetch('https://example.com');
    const copy = response.clone();
    const again = async () => { try { await response.text(); } catch (error) { return error.name; } };
    return [response instanceof Response, response.ok, response.status, response.statusText, response.redirected, response.url, response.headers.get('A'),
      [...response.headers], await response.json(), await again(), response.bodyUsed, [...new Uint8Array(await copy.arrayBuffer())].length];`;
  const headers = [
    ['a', '1'],
    ['a', '2'],
    ['set-cookie', 'x=1'],
    ['set-cookie', 'y=2'],
  ];
  expect(await evaluate(body, { answer: answerOf({ status: 404, statusText: 'No', redirected: true, headers, body: base64('{"ä":1}') }) })).toEqual([
    true,
    false,
    404,
    'No',
    true,
    'https://example.com/',
    '1, 2',
    [
      ['a', '1, 2'],
      ['set-cookie', 'x=1'],
      ['set-cookie', 'y=2'],
    ],
    { ä: 1 },
    'TypeError',
    true,
    8,
  ]);
});

test('a refusal is a TypeError with the text of the host and the place of the call', async () => {
  const body = `async function inner() { await fetch('https://example.com'); }
    try { await inner(); } catch (error) { return [error instanceof TypeError, error.message, error.stack]; }`;
  const seen = (await evaluate(body, {
    answer: () => ({ ok: false, text: '{"message":"GET https://example.com:443 is not granted"}' }),
  })) as unknown[];
  expect(seen.slice(0, 2)).toEqual([true, 'fetch: GET https://example.com:443 is not granted']);
  expect(seen[2]).toMatch(/^TypeError: fetch: GET https:\/\/example\.com:443 is not granted\n {4}at (?:async )?inner \(bundle\.js:/);
});

test.for([
  ["fetch('/relative')", 'TypeError'],
  ["fetch('https://a', { method: 'TRACE' })", 'TypeError'],
  ["fetch('https://a', { body: 'x' })", 'TypeError'],
  ["fetch('https://a', { method: 'POST', body: {} })", 'TypeError'],
  ["fetch('https://a', { headers: { 'a\\r\\nb': 'c' } })", 'TypeError'],
  ["fetch('https://a', { headers: { a: 'b\\r\\nc: d' } })", 'TypeError'],
  ["fetch('https://a', { headers: [['a']] })", 'TypeError'],
  ["fetch('https://a', { redirect: 'other' })", 'TypeError'],
  ["fetch('https://a', { signal: AbortSignal.abort() })", 'AbortError'],
] as const)('%s rejects before anything is posted', async ([call, name]) => {
  const code = `module.exports = { async execute(ctx) { try { await ${call}; } catch (error) { ctx.tracing.trace(error.name); } } };`;
  const { posts, traces } = await runBundle(code, { answer: answerOf() });
  expect(traces).toEqual([name]);
  expect(posts.some(({ kind }) => kind === 'fetch')).toBe(false);
});

test('a signal that fires ends the wait, and the answer that comes later changes nothing', async () => {
  const body = `const stop = new AbortController();
    const asked = fetch('https://example.com', { signal: stop.signal });
    stop.abort(new Error('enough'));
    try { await asked; } catch (error) { return error.message; }`;
  expect(await evaluate(body, { answer: answerOf() })).toBe('enough');
});

test('a request counts as a host call, and nothing can be asked while a bundle loads', async () => {
  const code = `let early; fetch('https://a').catch((error) => { early = error.message; });
    module.exports = { async execute(ctx) { ctx.tracing.trace(early); await fetch('https://a'); await fetch('https://a'); } };`;
  const { traces, end } = await runBundle(code, { answer: answerOf(), limits: { hostCalls: 1 } });
  expect(traces).toEqual(['fetch cannot be used while a bundle loads']);
  expect(end).toMatchObject({ kind: 'limit', text: 'host-calls' });
});

test('base64, and what stands on it, works in an isolate that was made from a snapshot', async () => {
  // V8 adds the methods to a context after its snapshot; taken too early they were undefined in every sandbox process.
  const code = `module.exports = { async execute(ctx) {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode('a'));
    ctx.tracing.trace(btoa('a') + atob('YQ==') + new Uint8Array(digest)[0] + await (await fetch('https://a', { method: 'POST', body: 'b' })).text());
  } };`;
  const { traces } = await runBundle(code, { snapshot: snapshotOf(code), answer: answerOf({ body: base64('c') }) });
  expect(traces).toEqual(['YQ==a202c']);
});
