import { apply, construct, define, defineProperty, floor, getOwnPropertyDescriptor, SafeBigInt, SafeDate } from './primordials.ts';

/**
 * Time stands still while guest code runs and moves only with what the host says at a host call's return: recorded answers then
 * replay an execution exactly, and a guest has no clock to measure other tenants with.
 */
let startMs = 0;
let nowMs = 0;

export function startClock(at: number, now: number): void {
  startMs = at;
  nowMs = now > at ? now : at;
}

export function advanceClock(to: number): void {
  if (to > nowMs) nowMs = to;
}

/** Milliseconds since 1970, with fractions. */
export function currentMs(): number {
  return nowMs;
}

export function elapsedMs(): number {
  return nowMs - startMs;
}

const wholeNow = (): number => floor(nowMs);

export function installClock(): void {
  installDate();
  installIntl();
  const performance = {
    now: () => elapsedMs(),
    get timeOrigin() {
      return startMs;
    },
    toJSON: () => ({ timeOrigin: startMs }),
    mark: () => undefined,
    measure: () => undefined,
  };
  define(globalThis, 'performance', performance);
}

function installDate(): void {
  const wrapped = function Date(...args: unknown[]): unknown {
    if (new.target === undefined) return dateText();
    return construct(SafeDate, args.length === 0 ? [wholeNow()] : args, new.target);
  };
  const dateText = (): string => new SafeDate(wholeNow()).toString();
  defineProperty(wrapped, 'length', { value: 7, configurable: true });
  defineProperty(wrapped, 'prototype', { value: SafeDate.prototype, writable: false, enumerable: false, configurable: false });
  define(wrapped, 'now', function now() {
    return wholeNow();
  });
  define(wrapped, 'parse', SafeDate.parse);
  define(wrapped, 'UTC', SafeDate.UTC);
  define(SafeDate.prototype, 'constructor', wrapped);
  define(globalThis, 'Date', wrapped);
}

/** `format()` and `formatToParts()` without a date read the machine's clock. */
function installIntl(): void {
  const prototype = Intl.DateTimeFormat.prototype;
  const getter = getOwnPropertyDescriptor(prototype, 'format')?.get as (this: Intl.DateTimeFormat) => (date?: unknown) => string;
  defineProperty(prototype, 'format', {
    get(this: Intl.DateTimeFormat) {
      const format = apply(getter, this, []);
      return (date?: unknown): string => format(date === undefined ? wholeNow() : date);
    },
    configurable: true,
    enumerable: false,
  });
  const parts = prototype.formatToParts as (this: Intl.DateTimeFormat, date?: unknown) => unknown;
  define(prototype, 'formatToParts', function formatToParts(this: Intl.DateTimeFormat, date?: unknown) {
    return apply(parts, this, [date === undefined ? wholeNow() : date]);
  });
}

interface Zoned {
  toPlainDateTime(): unknown;
  toPlainDate(): unknown;
  toPlainTime(): unknown;
}

interface TemporalGlobal {
  readonly Now: object;
  readonly Instant: new (nanoseconds: bigint) => { toZonedDateTimeISO(zone: unknown): Zoned };
}

/** `Temporal.Now` reads the machine's clock too. Temporal comes into a context after its snapshot. */
export function installTemporal(): void {
  const temporal = (globalThis as unknown as { Temporal?: TemporalGlobal }).Temporal;
  if (temporal === undefined) return;
  const { Instant, Now } = temporal;
  const instant = () => new Instant(SafeBigInt(wholeNow()) * 1_000_000n);
  const zoned = (zone: unknown = 'UTC') => instant().toZonedDateTimeISO(zone);
  define(Now, 'instant', instant);
  define(Now, 'timeZoneId', () => 'UTC');
  define(Now, 'zonedDateTimeISO', zoned);
  define(Now, 'plainDateTimeISO', (zone?: unknown) => zoned(zone).toPlainDateTime());
  define(Now, 'plainDateISO', (zone?: unknown) => zoned(zone).toPlainDate());
  define(Now, 'plainTimeISO', (zone?: unknown) => zoned(zone).toPlainTime());
}
