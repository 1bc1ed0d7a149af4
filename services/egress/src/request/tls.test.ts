import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { EgressOrder } from '@airlock/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { selfSigned } from '../testing/self-signed.ts';
import { perform } from './perform.ts';

const NAME = 'shop.example';
const { key, cert } = selfSigned(NAME);
const names: (string | false | undefined)[] = [];
const server = createServer({ key, cert }, (request, response) => {
  names.push((request.socket as unknown as { readonly servername?: string | false }).servername);
  response.end('ok');
});
const before = getCACertificates('default');
const portOf = (): number => (server.address() as AddressInfo).port;

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  setDefaultCACertificates(before);
  server.close();
});

async function ask(host: string): Promise<string> {
  const order: EgressOrder = {
    version: 1,
    kind: 'perform',
    requestId: 'r',
    dispatcherId: 'd',
    timeoutMs: 5_000,
    responseBytes: 1_000,
    targets: [{ scheme: 'https', host, port: portOf(), methods: ['GET'] }],
    request: { url: `https://${host}:${portOf()}/`, method: 'GET', headers: [], redirect: 'follow' },
  };
  const { end } = await perform(order, {
    resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    isAllowedAddress: (address) => address === '127.0.0.1',
    allowPlainHttp: false,
    signal: AbortSignal.timeout(10_000),
    nowMs: () => performance.now(),
  });
  return end.ok ? `status ${end.answer.status}` : end.refusal;
}

test('a certificate is believed when an authority that is known signed it, and for its own name only', async () => {
  expect(await ask(NAME)).toBe('certificate');
  expect(names).toEqual([]);
  setDefaultCACertificates([...before, cert]);
  expect(await ask(NAME)).toBe('status 200');
  // The connection goes to a checked address, and the server is still asked for and checked by its name.
  expect(names).toEqual([NAME]);
  expect(await ask('other.example')).toBe('certificate');
  expect(await ask('127.0.0.1')).toBe('certificate');
  expect(names).toEqual([NAME]);
});
