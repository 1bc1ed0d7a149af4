import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** `044 668 18 00` → `+41 44 668 18 00`. What is not a telephone number stays as it is: to refuse it is not this bundle's business. */
export function normalTelephone(telephone: string): string {
  const parsed = parsePhoneNumberFromString(telephone, 'CH');
  return parsed?.isValid() === true ? parsed.formatInternational() : telephone.trim();
}

/** `Contoso.com/` → `https://contoso.com`. What is not an address of the web stays as it is. */
export function normalWebsite(website: string): string {
  const given = website.trim();
  const full = /^[a-z][a-z0-9+.-]*:/i.test(given) ? given : `https://${given}`;
  if (!URL.canParse(full)) return given;
  const address = new URL(full);
  if (!['http:', 'https:'].includes(address.protocol) || !address.hostname.includes('.')) return given;
  return address.href.replace(/\/$/, '');
}

/** Up to three letters that stand for a name: `Zürich Tools AG` → `ZUR`. */
export function numberPrefix(name: string): string {
  const letters = name.normalize('NFD').replace(/[^A-Za-z]/g, '');
  return letters.slice(0, 3).toUpperCase().padEnd(3, 'X');
}

const SYMBOLS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';

/** `Zürich Tools AG` → for example `ZUR-7F3K2Q`. `random` answers numbers from 0 up to 1. */
export function accountNumber(name: string, random: () => number): string {
  const suffix = Array.from({ length: 6 }, () => SYMBOLS[Math.floor(random() * SYMBOLS.length)]).join('');
  return `${numberPrefix(name)}-${suffix}`;
}
