/** A double carries every decimal of this many significant digits exactly there and back. */
export const MAX_SIGNIFICANT_DIGITS = 15;

export interface DecimalShape {
  readonly significantDigits: number;
  /** Digits after the point. */
  readonly scale: number;
}

/** The shape of the shortest decimal that reads back as `value`: what a person would write for it. */
export function decimalShape(value: number): DecimalShape {
  const [mantissa = '0', exponent = '0'] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  return { significantDigits: digits.length, scale: Math.max(0, digits.length - 1 - Number(exponent)) };
}
