import { expect, test } from 'vitest';
import { parseConfig } from './config.ts';

test('private addresses and plain http are off unless the environment names them', () => {
  expect(parseConfig({}, { randomId: 'r' })).toMatchObject({ allowPrivateAddresses: false, allowPlainHttp: false, egressId: 'r' });
  const env = { AIRLOCK_EGRESS_ALLOW_PRIVATE: '1', AIRLOCK_EGRESS_ALLOW_HTTP: 'true' };
  expect(parseConfig(env, { randomId: 'r' })).toMatchObject({ allowPrivateAddresses: true, allowPlainHttp: true });
});

test('a variable that nobody reads is refused by name', () => {
  expect(() => parseConfig({ AIRLOCK_EGRESS_ALLOW_ALL: '1' }, { randomId: 'r' })).toThrow('AIRLOCK_EGRESS_ALLOW_ALL');
});
