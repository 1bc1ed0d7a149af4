import type { Service } from '../../services/sandbox-worker/src/test-support/dispatcher-player.ts';

export const CANARY = 'CANARY-7b1f0c';
const ANSWER_AFTER_MS = 1;

const fault = (message: string) => ({
  ok: false,
  body: { code: '0x80040217', errorCode: -2147220969, message, httpStatus: 404, retriable: false, traceId: '0af7651916cd43dd8448eb211c80319c' },
});

export interface StubService {
  readonly serve: Service;
  /** Most calls of one execution that were open at once since the last reset. */
  readonly mostInFlight: () => number;
  readonly reset: () => void;
}

/** The organization service of the corpus: one account, one id that is not there, one that belongs to somebody else. */
export function createStubService(): StubService {
  const open = new Map<string, number>();
  let most = 0;
  const answer = (request: Record<string, unknown>) => {
    switch (request['op']) {
      case 'create':
        return { ok: true, body: { id: '00000000-0000-0000-0000-0000000000aa' } };
      case 'retrieve':
        // The record of the other organization holds the canary; who may not read it learns nothing, not even that.
        if (request['id'] !== '00000000-0000-0000-0000-000000000001')
          return fault(`account With Id = ${String(request['id']).slice(0, 64)} Does Not Exist`);
        return { ok: true, body: { logicalName: 'account', id: request['id'], attributes: { name: 'Contoso' } } };
      case 'retrieveMultiple':
        return { ok: true, body: { entities: [], moreRecords: false } };
      default:
        return { ok: true, body: {} };
    }
  };
  return {
    serve: async (request, { executionId }) => {
      const now = (open.get(executionId) ?? 0) + 1;
      open.set(executionId, now);
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, ANSWER_AFTER_MS));
      open.set(executionId, (open.get(executionId) ?? 1) - 1);
      return answer(request);
    },
    mostInFlight: () => most,
    reset: () => {
      open.clear();
      most = 0;
    },
  };
}
