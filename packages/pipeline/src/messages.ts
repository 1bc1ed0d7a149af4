/** What the platform knows of one message. Source: dataverse-facts §1.3, cut to the messages that Airlock runs. */
export interface MessageRule {
  readonly name: string;
  /** Authors may register steps on it. Upsert runs as Create or Update, whose steps fire. */
  readonly stepsAllowed: boolean;
  /** `undefined`: the message carries no image. */
  readonly images: { readonly properties: readonly string[]; readonly pre: boolean; readonly post: boolean } | undefined;
  /** Filtering attributes keep a step from running; on other messages they are ignored (statement 17). */
  readonly filtersByColumn: boolean;
  /** PreValidation has shared variables of its own, that later stages read through the parent context (statement 26). */
  readonly preValidationApart: boolean;
}

export const messages = {
  Create: {
    name: 'Create',
    stepsAllowed: true,
    images: { properties: ['Target'], pre: false, post: true },
    filtersByColumn: false,
    preValidationApart: true,
  },
  Update: {
    name: 'Update',
    stepsAllowed: true,
    images: { properties: ['Target'], pre: true, post: true },
    filtersByColumn: true,
    preValidationApart: true,
  },
  Delete: {
    name: 'Delete',
    stepsAllowed: true,
    images: { properties: ['Target'], pre: true, post: false },
    filtersByColumn: false,
    preValidationApart: true,
  },
  Retrieve: { name: 'Retrieve', stepsAllowed: true, images: undefined, filtersByColumn: false, preValidationApart: false },
  RetrieveMultiple: { name: 'RetrieveMultiple', stepsAllowed: true, images: undefined, filtersByColumn: false, preValidationApart: false },
  Upsert: { name: 'Upsert', stepsAllowed: false, images: undefined, filtersByColumn: false, preValidationApart: false },
} as const satisfies Record<string, MessageRule>;

export type MessageName = keyof typeof messages;

const byName: ReadonlyMap<string, MessageRule> = new Map(Object.entries(messages));

/** `undefined`: there is no such message. Names are compared exactly. */
export function findMessage(name: string): MessageRule | undefined {
  return byName.get(name);
}
