// As a namespace, so that the bundler leaves out what is not used.
import * as z from 'zod';

/** What a contact may hold; columns that are not sent are not looked at. */
const Contact = z.object({
  firstname: z.string().trim().min(1, 'is empty').nullish(),
  lastname: z.string().trim().min(1, 'is empty').nullish(),
  emailaddress1: z.email('is not an e-mail address').nullish(),
  telephone1: z
    .string()
    .regex(/^[+\d][\d\s()/.-]{4,30}$/, 'is not a telephone number')
    .nullish(),
});

/** Column → what is wrong with it; empty when nothing is. */
export function problemsOf(contact: Readonly<Record<string, unknown>>): Record<string, string> {
  const parsed = Contact.safeParse(contact);
  if (parsed.success) return {};
  return Object.fromEntries(parsed.error.issues.map(({ path, message }) => [path.join('.'), message]));
}
