import type { IncomingHttpHeaders } from 'node:http';
import { PlatformError } from '@airlock/protocol';
import { hashOfKey } from '../access/api-key.ts';
import { createExpiringMap } from '../access/expiring-map.ts';
import type { KeyStore } from '../access/keys.ts';
import { atLeast } from '../access/may.ts';
import type { Caller } from '../execute-message/message.ts';
import { isGuid } from './data-path.ts';
import type { HttpLimits } from './limits.ts';
import { createRateLimiter } from './rate-limit.ts';

/** Buckets kept per limiter: more callers than this within one window only make the limit milder. */
const MAX_BUCKETS = 20_000;
const GOOD_FOR_MS = 600_000;
const BEARER = /^Bearer +([A-Za-z0-9_.~+/=-]{1,512})$/i;

export interface SignInOptions {
  readonly keys: Pick<KeyStore, 'authenticate' | 'findUser'>;
  readonly limits: HttpLimits;
  readonly nowMs: () => number;
}

/** Turns the headers of a request into its caller, or refuses it. */
export interface SignIn {
  authenticate(headers: IncomingHttpHeaders, address: string): Promise<Caller>;
  /** The caller that the request really runs as: `MSCRMCallerID` and `CallerObjectId` are for operators. */
  impersonate(headers: IncomingHttpHeaders, caller: Caller): Promise<Caller>;
}

export function createSignIn({ keys, limits, nowMs }: SignInOptions): SignIn {
  const windowSeconds = limits.rateWindowSeconds;
  const perKey = createRateLimiter({ capacity: limits.ratePerKey, windowSeconds, maxBuckets: MAX_BUCKETS });
  const strangers = createRateLimiter({ capacity: limits.rateUnauthenticated, windowSeconds, maxBuckets: MAX_BUCKETS });
  const goodLately = createExpiringMap<true>({ ttlMs: GOOD_FOR_MS, maxEntries: MAX_BUCKETS });
  const limited = (limit: number, retryAfterSeconds: number) =>
    new PlatformError('RATE_LIMITED', { limit, seconds: windowSeconds, retryAfterSeconds });

  const refuseStranger = (address: string): PlatformError => {
    const waitSeconds = strangers.take(address, nowMs());
    return waitSeconds > 0 ? limited(limits.rateUnauthenticated, waitSeconds) : new PlatformError('NOT_AUTHENTICATED');
  };

  return {
    async authenticate(headers, address) {
      const key = BEARER.exec(headers.authorization ?? '')?.[1];
      if (key === undefined) throw refuseStranger(address);
      // Guessing costs no look-ups once the address has used its allowance up. Keys that were good lately go on: behind one
      // proxy all callers have one address, and a stranger must not lock them out.
      const hash = hashOfKey(key);
      const strangerWait = goodLately.get(hash, nowMs()) === true ? 0 : strangers.secondsUntilFree(address, nowMs());
      if (strangerWait > 0) throw limited(limits.rateUnauthenticated, strangerWait);
      const answer = await keys.authenticate(key);
      if (!answer.ok) {
        if (answer.reason === 'user-disabled') throw new PlatformError('ACCESS_DENIED', { needs: 'the user of this API key is disabled' });
        throw refuseStranger(address);
      }
      goodLately.set(hash, true, nowMs());
      const waitSeconds = perKey.take(answer.keyId, nowMs());
      if (waitSeconds > 0) throw limited(limits.ratePerKey, waitSeconds);
      return answer.caller;
    },
    async impersonate(headers, caller) {
      const asked = headerText(headers['mscrmcallerid']) ?? headerText(headers['callerobjectid']);
      if (asked === undefined) return caller;
      if (!atLeast(caller.role, 'operator')) {
        throw new PlatformError('ACCESS_DENIED', { needs: 'only the role "operator" may act on behalf of another user' });
      }
      const user = isGuid(asked) ? await keys.findUser(asked.toLowerCase()) : undefined;
      if (user === undefined) throw new PlatformError('RECORD_NOT_FOUND', { table: 'SystemUser', id: asked.slice(0, 64) });
      return { ...user, authenticatedUserId: caller.authenticatedUserId };
    },
  };
}

function headerText(value: string | readonly string[] | undefined): string | undefined {
  const text = typeof value === 'string' ? value.trim().replace(/^\{|\}$/g, '') : value?.[0];
  return text === undefined || text === '' || text === 'null' ? undefined : text;
}
