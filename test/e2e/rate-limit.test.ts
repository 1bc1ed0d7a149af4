import { expect, test } from 'vitest';
import { errorOf } from '../support/plugin-system.ts';
import { startAirlock } from '../support/services.ts';

const RATE = 20;

test('requests of one key above its rate are refused with 429, the limit and when to come again; another key goes on', async () => {
  await using airlock = await startAirlock({ workers: 0, dispatcherEnv: { AIRLOCK_RATE_PER_KEY: String(RATE) } });
  const user = await airlock.http.request('POST', '/api/airlock/v1/users', { body: { fullname: 'Busy', role: 'user' } });
  const { systemuserid } = user.body as { systemuserid: string };
  const issued = await airlock.http.request('POST', '/api/airlock/v1/keys', { body: { systemuserid, name: 'busy' } });
  const busy = airlock.http.as((issued.body as { key: string }).key);
  const answers = await Promise.all(Array.from({ length: RATE + 5 }, () => busy.request('GET', 'WhoAmI')));
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThanOrEqual(1);
  for (const answer of refused) {
    expect(answer.status).toBe(429);
    expect(errorOf(answer).code).toBe('0x80072322');
    expect(errorOf(answer).message).toContain(`limit of ${RATE} `);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  }
  expect((await airlock.http.request('GET', 'WhoAmI')).status).toBe(200);
});
