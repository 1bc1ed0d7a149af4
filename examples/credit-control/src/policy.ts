/** What the step's configuration (JSON) may set. */
export interface CreditPolicy {
  /** A credit limit may be at most this share of the yearly revenue. */
  readonly shareOfRevenue: number;
  /** Up to here nobody asks for the revenue. */
  readonly freeLimit: number;
  /** From here on somebody must be able to call the account. */
  readonly phoneLimit: number;
  /** Where a telephone number without a country code belongs. */
  readonly country: string;
}

const defaults: CreditPolicy = { shareOfRevenue: 0.2, freeLimit: 10_000, phoneLimit: 50_000, country: 'CH' };

/** Throws when the configuration is not the JSON text of an object with known members: a mistake of who registered the step. */
export function policyOf(configuration: string): CreditPolicy {
  if (configuration === '') return defaults;
  const given: unknown = JSON.parse(configuration);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new TypeError('The configuration must be a JSON object.');
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) throw new TypeError(`The configuration has no member "${name}".`);
    if (typeof value !== typeof defaults[name as keyof CreditPolicy]) throw new TypeError(`The configuration's "${name}" has the wrong type.`);
  }
  return { ...defaults, ...given };
}
