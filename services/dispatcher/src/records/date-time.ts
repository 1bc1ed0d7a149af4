const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):(\d{2}))$/;
const MINUTE_MS = 60_000;

/** The date itself when it exists in the calendar (years 1 to 9999), else `undefined`. */
export function parseDate(text: string): string | undefined {
  const match = DATE.exec(text);
  if (match === null || match[1] === '0000') return undefined;
  // The offset of Date.parse is UTC for this form; a day that does not exist comes out as another one.
  const date = new Date(`${text}T00:00:00.000Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === text ? text : undefined;
}

/**
 * ISO 8601 with an offset → UTC with milliseconds; `undefined` when it is none. Finer fractions are cut off, as clients
 * that count in ticks of 100 ns expect.
 */
export function parseDateTime(text: string): string | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [, date = '', hours = '', minutes = '', seconds = '00', fraction = '', , sign, offsetHours = '00', offsetMinutes = '00'] = match;
  if (parseDate(date) === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  if (Number(offsetHours) > 14 || Number(offsetMinutes) > 59) return undefined;
  const local = Date.parse(`${date}T${hours}:${minutes}:${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * MINUTE_MS * (sign === '-' ? -1 : 1);
  const iso = new Date(local - offsetMs).toISOString();
  // An offset can lead out of the years that the column and the text form hold.
  return /^\d{4}-/.test(iso) && !iso.startsWith('0000') ? iso : undefined;
}
