import type { UserId } from '@airlock/pipeline';

/** The user behind work that nobody signed in for. It has every right and can never hold a key. */
export const SYSTEM_USER_ID = '00000000-0000-4000-8000-00000000a11c' as UserId;
/** There is one business unit; it exists because the platform's contexts name one. */
export const ROOT_BUSINESS_UNIT_ID = '00000000-0000-4000-8000-00000000b001';

/** Messages that every table has, with their fixed ids: a step that was exported keeps pointing to the same message. */
export const messageIds = {
  Create: '00000000-0000-4000-8000-0000000c0001',
  Update: '00000000-0000-4000-8000-0000000c0002',
  Delete: '00000000-0000-4000-8000-0000000c0003',
  Retrieve: '00000000-0000-4000-8000-0000000c0004',
  RetrieveMultiple: '00000000-0000-4000-8000-0000000c0005',
} as const;
