import { type Attributes, definePlugin } from '@airlock/plugin-sdk';
import { accountNumber, normalTelephone, normalWebsite } from './normalise.ts';

/** Telephone numbers and web addresses are stored in one form, however they were typed. */
export const normaliseAccount = definePlugin({
  steps: [
    { name: 'normalise a new account', message: 'Create', table: 'account', stage: 'PreOperation' },
    {
      name: 'normalise a changed account',
      message: 'Update',
      table: 'account',
      stage: 'PreOperation',
      filteringAttributes: ['telephone1', 'websiteurl'],
    },
  ],
  execute({ target }) {
    replaceText(target.attributes, 'telephone1', normalTelephone);
    replaceText(target.attributes, 'websiteurl', normalWebsite);
  },
});

/** Gives a new account a number made of its name, e.g. `CON-7F3K2Q`. The alternate key refuses the rare one that is taken. */
export const numberAccount = definePlugin({
  steps: [{ name: 'number a new account', message: 'Create', table: 'account', stage: 'PreOperation', rank: 10 }],
  execute({ target, tracing }) {
    const { name, accountnumber } = target.attributes;
    if (typeof name !== 'string' || (typeof accountnumber === 'string' && accountnumber !== '')) return;
    // Math.random is seeded per execution: unguessable enough for a number, and the same again in a replay.
    target.attributes['accountnumber'] = accountNumber(name, Math.random);
    tracing.trace(`account number ${target.attributes['accountnumber']}`);
  },
});

function replaceText(attributes: Attributes, column: string, replace: (text: string) => string): void {
  const value = attributes[column];
  if (typeof value === 'string' && value !== '') attributes[column] = replace(value);
}
