import { isValidPhoneNumber } from 'libphonenumber-js/min';
import type { CreditPolicy } from './policy.ts';

/** The columns that the rule looks at, as they will be once the operation is done. */
export interface Credit {
  readonly creditLimit: number | undefined;
  readonly revenue: number | undefined;
  readonly telephone: string | undefined;
}

/** Why a credit limit is refused. */
export interface Refusal {
  readonly message: string;
  readonly column: 'creditlimit' | 'telephone1';
  readonly highestLimit: number;
}

/** `undefined`: the limit is fine. */
export function refusalOf({ creditLimit, revenue, telephone }: Credit, policy: CreditPolicy): Refusal | undefined {
  if (creditLimit === undefined || creditLimit <= policy.freeLimit) return undefined;
  const highestLimit = Math.max(policy.freeLimit, Math.floor((revenue ?? 0) * policy.shareOfRevenue));
  if (creditLimit > highestLimit) {
    const share = `${Math.round(policy.shareOfRevenue * 100)} % of the revenue of ${amount(revenue ?? 0)}`;
    return {
      column: 'creditlimit',
      highestLimit,
      message: `The credit limit of ${amount(creditLimit)} exceeds ${share}: the highest is ${amount(highestLimit)}.`,
    };
  }
  if (creditLimit > policy.phoneLimit && !isReachable(telephone, policy.country)) {
    const problem = telephone === undefined ? 'the account has none' : `"${telephone}" is not one`;
    return {
      column: 'telephone1',
      highestLimit: policy.phoneLimit,
      message: `A credit limit above ${amount(policy.phoneLimit)} needs a telephone number, and ${problem}.`,
    };
  }
  return undefined;
}

function isReachable(telephone: string | undefined, country: string): boolean {
  // The library's list of countries is a type of its own; an unknown one makes every national number invalid, which is right here.
  return telephone !== undefined && isValidPhoneNumber(telephone, country as 'CH');
}

/** 1234567.5 → 1,234,567.5 */
function amount(value: number): string {
  const [whole = '', fraction] = String(value).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
