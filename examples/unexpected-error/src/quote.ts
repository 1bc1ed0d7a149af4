import { currencyOf } from './price-list.ts';

export function quoteFor(accountName: string): string {
  const listName = accountName === 'Break me' ? 'wholesale' : 'retail';
  return `Quote for ${accountName} in ${currencyOf(listName)}`;
}
