import { cleanText } from '@airlock/protocol';

/** One line, without characters that show otherwise than they are. */
export function isPlainName(text: string): boolean {
  return !/[\r\n\t]/.test(text) && cleanText(text, text.length) === text;
}

export function isStorableText(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}
