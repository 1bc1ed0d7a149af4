import { electronicFormatIBAN, ValidationErrorsIBAN, validateIBAN } from 'ibantools';

const texts: Readonly<Record<ValidationErrorsIBAN, string>> = {
  [ValidationErrorsIBAN.NoIBANProvided]: 'it is empty',
  [ValidationErrorsIBAN.NoIBANCountry]: 'it begins with no country that has IBANs',
  [ValidationErrorsIBAN.WrongBBANLength]: 'it has the wrong length for its country',
  [ValidationErrorsIBAN.WrongBBANFormat]: 'it has the wrong form for its country',
  [ValidationErrorsIBAN.ChecksumNotNumber]: 'its check digits are not digits',
  [ValidationErrorsIBAN.WrongIBANChecksum]: 'its check digits do not fit',
  [ValidationErrorsIBAN.WrongAccountBankBranchChecksum]: 'the check digits of its account do not fit',
  [ValidationErrorsIBAN.QRIBANNotAllowed]: 'it is a QR-IBAN',
};

/** What is wrong with it, the first thing first; `undefined` when nothing is. */
export function ibanProblem(iban: string): string | undefined {
  const { valid, errorCodes } = validateIBAN(storedIban(iban));
  return valid ? undefined : (texts[errorCodes[0] ?? ValidationErrorsIBAN.NoIBANProvided] ?? 'it is not one');
}

/** `ch93 0076 2011 …` → `CH9300762011…` */
export function storedIban(iban: string): string {
  return electronicFormatIBAN(iban) ?? '';
}
