import { decrypt, encrypt, place } from './aes-gcm.ts';
import type { DataKey, OpenedDataKey } from './data-keys.ts';

export type OpenedSecret = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

const FORM = /^s1\.(\d{1,9})\.([A-Za-z0-9+/=]+)$/;

/** organization | step | field | version: a ciphertext that is moved to another of any of them does not open. */
const secretPlace = (organizationId: string, stepId: string, version: number) =>
  place('airlock secret', organizationId, stepId.toLowerCase(), 'secureconfiguration', version);

/** `s1.<version of the data key>.<base64>`. */
export function sealSecret({ organizationId, version, key }: DataKey, stepId: string, text: string): string {
  return `s1.${version}.${encrypt(key, secretPlace(organizationId, stepId, version), Buffer.from(text, 'utf8'))}`;
}

/** What is not sealed is not believed: whoever can write to the table could else choose what a step runs with. */
export function openSecret(dataKeys: readonly OpenedDataKey[], stepId: string, sealed: string): OpenedSecret {
  const [, version, ciphertext] = FORM.exec(sealed) ?? [];
  if (version === undefined || ciphertext === undefined) return { ok: false, problem: 'the stored value is not sealed. Set it again.' };
  const found = dataKeys.find((opened) => (opened.ok ? opened.dataKey.version : opened.version) === Number(version));
  if (found === undefined) return { ok: false, problem: `there is no data key of version ${version}.` };
  if (!found.ok) return found;
  const { organizationId, key } = found.dataKey;
  const plain = decrypt(key, secretPlace(organizationId, stepId, Number(version)), ciphertext);
  if (plain === undefined) return { ok: false, problem: 'the stored value was changed, or belongs to another step or organization. Set it again.' };
  return { ok: true, text: plain.toString('utf8') };
}
