import {
  type AttributeValue,
  definePlugin,
  type Entity,
  InvalidPluginExecutionException,
  OperationStatus,
  PluginHttpStatusCode,
} from '@airlock/plugin-sdk';
import { refusalOf } from './credit-rule.ts';
import { ibanProblem, storedIban } from './iban-rule.ts';
import { policyOf } from './policy.ts';

/** Error codes of this bundle that callers can compare. */
const CREDIT_REFUSED = 4711;
const IBAN_REFUSED = 4712;

/** Refuses an account whose credit limit does not fit its revenue, before anything is written. */
export const creditLimitRule = definePlugin({
  steps: [
    { name: 'credit limit of a new account', message: 'Create', table: 'account', stage: 'PreValidation' },
    {
      name: 'credit limit of a changed account',
      message: 'Update',
      table: 'account',
      stage: 'PreValidation',
      filteringAttributes: ['creditlimit', 'revenue', 'telephone1'],
      images: [{ alias: 'before', type: 'PreImage', columns: ['creditlimit', 'revenue', 'telephone1'] }],
    },
  ],
  execute({ target, preImages, configuration, tracing }) {
    const after = (column: string): AttributeValue | undefined => valueAfter(column, target, preImages.before);
    const credit = { creditLimit: number(after('creditlimit')), revenue: number(after('revenue')), telephone: text(after('telephone1')) };
    const refusal = refusalOf(credit, policyOf(configuration.unsecure));
    tracing.trace(`credit limit ${credit.creditLimit}, revenue ${credit.revenue}: ${refusal === undefined ? 'fine' : refusal.message}`);
    if (refusal === undefined) return;
    throw new InvalidPluginExecutionException(refusal.message, {
      status: OperationStatus.Canceled,
      errorCode: CREDIT_REFUSED,
      httpStatus: PluginHttpStatusCode.BadRequest,
      exceptionDetails: { column: refusal.column, highestLimit: String(refusal.highestLimit) },
    });
  },
});

/** An account whose credit limit is taken to zero goes on hold; one that gets a limit is released. */
export const creditHold = definePlugin({
  steps: [
    { name: 'credit hold of a new account', message: 'Create', table: 'account', stage: 'PreOperation' },
    { name: 'credit hold of a changed account', message: 'Update', table: 'account', stage: 'PreOperation', filteringAttributes: ['creditlimit'] },
  ],
  execute({ target, tracing }) {
    const limit = number(target.attributes['creditlimit']);
    // Who says it himself knows better.
    if (limit === undefined || Object.hasOwn(target.attributes, 'creditonhold')) return;
    target.attributes['creditonhold'] = limit === 0;
    tracing.trace(`credit on hold: ${limit === 0}`);
  },
});

/** Refuses an IBAN that cannot be one, and stores the others in one form. */
export const ibanRule = definePlugin({
  steps: [
    { name: 'IBAN of a new account', message: 'Create', table: 'account', stage: 'PreValidation' },
    { name: 'IBAN of a changed account', message: 'Update', table: 'account', stage: 'PreValidation', filteringAttributes: ['iban'] },
  ],
  execute({ target }) {
    const iban = text(target.attributes['iban']);
    if (iban === undefined) return;
    const problem = ibanProblem(iban);
    if (problem !== undefined) {
      throw new InvalidPluginExecutionException(`The IBAN ${iban} is not valid: ${problem}.`, {
        errorCode: IBAN_REFUSED,
        exceptionDetails: { column: 'iban', problem },
      });
    }
    target.attributes['iban'] = storedIban(iban);
  },
});

/** What the column will hold once the operation is done. */
function valueAfter(column: string, target: Entity, before: Entity | undefined): AttributeValue | undefined {
  return Object.hasOwn(target.attributes, column) ? target.attributes[column] : before?.attributes[column];
}

const number = (value: AttributeValue | undefined): number | undefined => (typeof value === 'number' ? value : undefined);
const text = (value: AttributeValue | undefined): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
