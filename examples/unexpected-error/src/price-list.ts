interface PriceList {
  readonly currency: { readonly code: string };
}

const priceLists: Readonly<Record<string, PriceList>> = { retail: { currency: { code: 'CHF' } } };

/** Wrong on purpose: nothing says that there is such a list. */
export function currencyOf(listName: string): string {
  const list = priceLists[listName] as PriceList;
  return list.currency.code;
}
