import { definePlugin } from '@airlock/plugin-sdk';
import { quoteFor } from './quote.ts';

/** Breaks for the account "Break me", three calls deep, as plug-ins do: by reading a member of something that is not there. */
export const quoteNote = definePlugin({
  steps: [
    { name: 'quote for a new account', message: 'Create', table: 'account', stage: 'PreOperation', rank: 100 },
    { name: 'quote for a renamed account', message: 'Update', table: 'account', stage: 'PreOperation', rank: 100, filteringAttributes: ['name'] },
  ],
  execute({ target, tracing }) {
    const name = target.attributes['name'];
    if (typeof name === 'string') tracing.trace(quoteFor(name));
  },
});
