import { type Attributes, definePlugin, InvalidPluginExecutionException, PluginHttpStatusCode } from '@airlock/plugin-sdk';
import { problemsOf } from './contact-schema.ts';

/** Refuses a contact with all of its problems at once. */
export const validateContact = definePlugin({
  steps: [
    { name: 'validate a new contact', message: 'Create', table: 'contact', stage: 'PreValidation' },
    {
      name: 'validate a changed contact',
      message: 'Update',
      table: 'contact',
      stage: 'PreValidation',
      filteringAttributes: ['firstname', 'lastname', 'emailaddress1', 'telephone1'],
    },
  ],
  execute({ target }) {
    const problems = Object.entries(problemsOf(target.attributes));
    if (problems.length === 0) return;
    throw new InvalidPluginExecutionException(
      `The contact is not valid: ${problems.map(([column, problem]) => `${column} ${problem}`).join('; ')}.`,
      {
        httpStatus: PluginHttpStatusCode.BadRequest,
        exceptionDetails: Object.fromEntries(problems),
      },
    );
  },
});

/** `fullname` follows the two names that it is made of. */
export const fullName = definePlugin({
  steps: [
    { name: 'full name of a new contact', message: 'Create', table: 'contact', stage: 'PreOperation' },
    {
      name: 'full name of a renamed contact',
      message: 'Update',
      table: 'contact',
      stage: 'PreOperation',
      filteringAttributes: ['firstname', 'lastname'],
      images: [{ alias: 'before', type: 'PreImage', columns: ['firstname', 'lastname'] }],
    },
  ],
  execute({ target, preImages }) {
    const names: Attributes = { ...preImages.before?.attributes, ...target.attributes };
    const full = [names['firstname'], names['lastname']].filter((name) => typeof name === 'string' && name.trim() !== '').join(' ');
    if (full !== '') target.attributes['fullname'] = full;
  },
});
