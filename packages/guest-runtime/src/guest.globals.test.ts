import { webcrypto } from 'node:crypto';
import { expect, test } from 'vitest';
import { evaluate } from '../test-support/guest-isolate.ts';

/** The same statements in Node and in a guest: what both say must be equal. */
async function inBoth(body: string): Promise<void> {
  const inNode = new Function('crypto', `return (async () => { ${body} })();`) as (crypto: unknown) => Promise<unknown>;
  expect(await evaluate(body)).toEqual(JSON.parse(JSON.stringify(await inNode(webcrypto))));
}

const safely = (list: string, call: string): string =>
  `return ${list}.map((v) => { try { return ${call}; } catch (e) { return 'throws ' + e.name; } });`;

const URLS = JSON.stringify([
  ...[
    'https://example.com',
    'HTTPS://User:Pa%20ss@EXAMPLE.com:443/a/./b/../c?x=1&y=ü#frag',
    'http://[::1]:8080/',
    'http://0x7f.1/',
    'http://256.1.1.1/',
  ],
  ...[
    'file:///C:/x/../y',
    'mailto:a@b.c',
    'data:text/plain,hi there',
    'http://exa mple.com',
    '//no-base',
    'https://bücher.example/ä?ö#ß',
    'http://xn--bcher-kva.example',
  ],
  ...['https://faß.de', 'http://a.b/?q=%zz \'"<>', 'javascript:alert(1)', 'http://example.com:99999', '', 'http://%41.com', 'ws://x/?a\tb\nc'],
]);

test('URL parses as Node does', () =>
  inBoth(
    safely(
      URLS,
      `(({ href, origin, host, pathname, search, hash, username, password }) => ({ href, origin, host, pathname, search, hash, username, password }))(new URL(v))`,
    ),
  ));

test('URL with a base, its setters and canParse are as in Node', () =>
  inBoth(`const u = new URL('../x?y#z', 'https://a.example/b/c/d'); u.port = '8443'; u.searchParams.append('ä b', '&='); u.hash = ''; u.hostname = 'B.example';
    return [u.href, JSON.stringify({ u }), URL.canParse('nope'), URL.canParse('/x', 'https://a')];`));

test('URLSearchParams is as in Node', () =>
  inBoth(`const p = new URLSearchParams('?a=1&b=%20x+y&a=2&c'); p.sort(); p.append('é', '~!*()'); p.delete('b');
    return [String(p), p.getAll('a'), p.has('c'), p.size, [...p], String(new URLSearchParams({ x: '1', y: '2' })), String(new URLSearchParams([['k', 'v']]))];`));

const TEXTS = JSON.stringify(['', 'abc', 'äöü€', '😀 smile', 'a\u0000b', '\ud800 lone', 'x\udc00', '\ufeffmark', 'ÿ']);

test('TextEncoder is as in Node', () => inBoth(`return ${TEXTS}.map((v) => [...new TextEncoder().encode(v)]);`));
test('TextEncoder writes into an array as in Node', () =>
  inBoth(
    `return ${TEXTS}.map((v) => { const t = new Uint8Array(5); const r = new TextEncoder().encodeInto(v, t); return [r.read, r.written, [...t]]; });`,
  ));

const BYTES = JSON.stringify([
  ...[
    [],
    [0x61],
    [0xc3, 0xa4],
    [0xe2, 0x82, 0xac],
    [0xf0, 0x9f, 0x98, 0x80],
    [0xef, 0xbb, 0xbf, 0x61],
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x9f, 0x98],
  ],
  ...[
    [0xff, 0xfe, 0x61],
    [0xe2, 0x28, 0xa1],
    [0xf4, 0x90, 0x80, 0x80],
    [0x80, 0x9f, 0xff],
    [0x3d, 0xd8, 0x00, 0xde],
    [0x3d, 0xd8],
    [0x00, 0xdc, 0x41, 0x00],
  ],
]);

test.for(['utf-8', 'utf-16le', 'latin1'])('TextDecoder reads %s as Node does', (label) =>
  inBoth(`return ${BYTES}.map((v) => new TextDecoder('${label}').decode(new Uint8Array(v)));`),
);
test('a fatal TextDecoder throws where Node does', () =>
  inBoth(safely(BYTES, `new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(v))`)));
test('TextDecoder reads streams as Node does', () =>
  inBoth(
    `return ['utf-8', 'utf-16le'].map((label) => { const d = new TextDecoder(label); let s = ''; for (const b of [0xef, 0xbb, 0xbf, 0xf0, 0x9f, 0x98, 0x80, 0xe2, 0x82]) s += d.decode(new Uint8Array([b]), { stream: true }) + '|'; return s + d.decode(); });`,
  ));

test('btoa and atob are as in Node', async () => {
  await inBoth(safely(TEXTS, 'btoa(v)'));
  await inBoth(safely(JSON.stringify(['', 'YWJj', 'YW Jj\n', 'YQ==', 'YQ=', 'YQ', 'Y', '=', 'YQ===', '____', 'a$b=', 'gICA']), 'atob(v)'));
});

test('structuredClone copies as Node does', () =>
  inBoth(`const o = { d: new Date(5), r: /x/gi, m: new Map([[1, { a: [1] }]]), s: new Set([1]), u: new Uint8Array([1, 2]).subarray(1), n: null, b: 10n, w: Object(1), sparse: [, 1], e: new RangeError('r') };
    o.self = o; const c = structuredClone(o);
    return [c !== o, c.self === c, c.d.getTime(), String(c.r), [...c.m], [...c.s], [...c.u], c.u.buffer.byteLength, String(c.b), c.w.valueOf(), 0 in c.sparse, c.sparse.length, c.e.name, c.e instanceof RangeError, c.e.message];`));
test('structuredClone refuses what Node refuses', () =>
  inBoth(safely('[() => 1, Symbol("x"), { f() {} }, new WeakMap(), Promise.resolve()]', 'typeof structuredClone(v)')));
test('structuredClone detaches what it transfers', () =>
  inBoth(`const b = new ArrayBuffer(8); const c = structuredClone({ b }, { transfer: [b] }); return [b.byteLength, c.b.byteLength];`));

test('events are as in Node', () =>
  inBoth(`const log = []; const t = new EventTarget(); const h = (e) => log.push(e.type + e.cancelable); t.addEventListener('a', h); t.addEventListener('a', h); t.addEventListener('a', { handleEvent() { log.push('object'); } }, { once: true });
    t.addEventListener('b', (e) => { e.preventDefault(); e.stopImmediatePropagation(); }); t.addEventListener('b', () => log.push('never'));
    t.dispatchEvent(new Event('a')); t.dispatchEvent(new Event('a', { cancelable: true })); const kept = t.dispatchEvent(new Event('b', { cancelable: true })); t.removeEventListener('a', h); t.dispatchEvent(new Event('a'));
    return [log, kept, new CustomEvent('x', { detail: 5 }).detail];`));

test('abort signals are as in Node', () =>
  inBoth(`const log = []; const c = new AbortController(); c.signal.onabort = () => log.push('on'); c.signal.addEventListener('abort', () => log.push('listener')); const any = AbortSignal.any([c.signal]);
    c.abort(); c.abort(); try { c.signal.throwIfAborted(); } catch (e) { log.push(e.name, e.code, e instanceof DOMException, e instanceof Error); }
    return [log, any.aborted, any.reason.name, AbortSignal.abort('why').reason, await new Promise((r) => { const s = AbortSignal.timeout(1); s.onabort = () => r(s.reason.name); })];`));

test('timers fire in the order of their due time and can be cleared', () =>
  inBoth(`const log = []; setTimeout((x) => log.push(x), 30, 'c'); setTimeout(() => log.push('a'), 10); const off = setTimeout(() => log.push('never'), 15); clearTimeout(off); queueMicrotask(() => log.push('micro'));
    let n = 0; await new Promise((r) => { const i = setInterval(() => { n += 1; if (n === 3) { clearInterval(i); r(); } }, 20); }); return [log, n];`));

test('a hundred timers can be armed, not more', async () => {
  expect(await evaluate(`let n = 0; try { for (;;) { setTimeout(() => 1, 1000); n += 1; } } catch (e) { return [n, e.message]; }`)).toEqual([
    100,
    'At most 100 timers can be armed at once.',
  ]);
});

test('digest and HMAC are as in Node', () =>
  inBoth(`const hex = (b) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, '0')).join(''); const data = new TextEncoder().encode('abc');
    const key = await crypto.subtle.importKey('raw', data, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign', 'verify']); const mac = await crypto.subtle.sign('HMAC', key, data);
    return [hex(await crypto.subtle.digest('SHA-256', data)), hex(await crypto.subtle.digest({ name: 'sha-512' }, data)), hex(mac), await crypto.subtle.verify('HMAC', key, mac, data), (await crypto.subtle.exportKey('jwk', key)).k, key.type, key.algorithm.hash.name];`));

test('keys are derived as in Node', () =>
  inBoth(`const hex = (b) => [...new Uint8Array(b)].join(); const data = new TextEncoder().encode('secret'); const salt = new Uint8Array(16);
    const k = await crypto.subtle.importKey('raw', data, 'PBKDF2', false, ['deriveBits', 'deriveKey']); const h = await crypto.subtle.importKey('raw', data, 'HKDF', false, ['deriveBits']);
    const aes = await crypto.subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 1000 }, k, { name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt']); const iv = new Uint8Array(12);
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: salt }, aes, data);
    return [hex(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: 1000 }, k, 256)), hex(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info: salt }, h, 128)), hex(await crypto.subtle.exportKey('raw', aes)), hex(sealed), hex(await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: salt }, aes, sealed))];`));

test.for([
  ['ECDSA', `{ name: 'ECDSA', namedCurve: 'P-256' }`, `{ name: 'ECDSA', hash: 'SHA-256' }`],
  ['Ed25519', `'Ed25519'`, `'Ed25519'`],
  [
    'RSASSA-PKCS1-v1_5',
    `{ name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }`,
    `'RSASSA-PKCS1-v1_5'`,
  ],
] as const)('%s keys are made, exported, imported, and sign and verify', async ([, made, used]) => {
  const seen =
    await evaluate(`const { publicKey, privateKey } = await crypto.subtle.generateKey(${made}, true, ['sign', 'verify']); const data = new Uint8Array([1, 2, 3]); const signature = await crypto.subtle.sign(${used}, privateKey, data);
    const spki = await crypto.subtle.exportKey('spki', publicKey); const again = await crypto.subtle.importKey('spki', spki, ${made}, true, ['verify']); const jwk = await crypto.subtle.exportKey('jwk', privateKey);
    const own = await crypto.subtle.importKey('jwk', jwk, ${made}, false, ['sign']); let refused; try { await crypto.subtle.exportKey('pkcs8', own); } catch (e) { refused = e.name; }
    return [await crypto.subtle.verify(${used}, again, signature, data), await crypto.subtle.verify(${used}, again, signature, new Uint8Array([9])), publicKey.usages, privateKey.usages, refused];`);
  expect(seen).toEqual([true, false, ['verify'], ['sign'], 'InvalidAccessError']);
});

test.for([
  [
    'too many iterations',
    `const k = await crypto.subtle.importKey('raw', new Uint8Array(4), 'PBKDF2', false, ['deriveBits']); await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(4), iterations: 1e9 }, k, 256)`,
    'OperationError',
  ],
  ['an algorithm that is not on the list', `await crypto.subtle.digest('MD5', new Uint8Array(1))`, 'NotSupportedError'],
  [
    'a modulus that is too long',
    `await crypto.subtle.generateKey({ name: 'RSA-PSS', modulusLength: 65536, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, true, ['sign'])`,
    'OperationError',
  ],
] as const)('crypto.subtle refuses %s', async ([, body, name]) => {
  expect(await evaluate(`try { ${body}; return 'done'; } catch (e) { return e.name; }`)).toBe(name);
});
