import { webcrypto } from 'node:crypto';

/**
 * `crypto.subtle` of the guest, answered in the sandbox process. Stateless: every request brings its keys. What comes in is a guest's
 * text: shape, size, algorithm and cost are checked before anything is computed.
 */
const { subtle } = webcrypto;
type Key = webcrypto.CryptoKey;
type Fields = Readonly<Record<string, unknown>>;

const MAX_REQUEST_CHARS = 1_100_000;
const MAX_ITERATIONS = 1_000_000;
const MAX_MODULUS_BITS = 4_096;
const MAX_DERIVED_BITS = 65_536;
const MAX_USAGES = 8;

/** Algorithm names in the standard's spelling, by lower case. */
const ALGORITHMS: ReadonlyMap<string, string> = new Map(
  [
    ...['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512', 'HMAC', 'AES-GCM', 'AES-CBC', 'AES-CTR'],
    ...['RSASSA-PKCS1-v1_5', 'RSA-PSS', 'RSA-OAEP', 'ECDSA', 'ECDH', 'Ed25519', 'X25519', 'PBKDF2', 'HKDF'],
  ].map((name) => [name.toLowerCase(), name]),
);
const PARAMETERS = new Set(
  'name hash namedCurve modulusLength publicExponent length iv additionalData tagLength counter salt iterations info public label saltLength'.split(
    ' ',
  ),
);
const USAGES = new Set(['sign', 'verify', 'encrypt', 'decrypt', 'deriveBits', 'deriveKey', 'wrapKey', 'unwrapKey']);
/** Keys that cannot be exported by the standard; they keep the bytes they were imported with. */
const DERIVATION_ONLY = new Set(['PBKDF2', 'HKDF']);

/** An error whose text may be shown to the guest. */
class CryptoRefusal extends Error {
  override readonly name: string;

  constructor(name: 'TypeError' | 'DataError' | 'NotSupportedError' | 'OperationError', message: string) {
    super(message);
    this.name = name;
  }
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

function fieldsOf(value: unknown, what: string): Fields {
  if (!isFields(value)) throw new CryptoRefusal('TypeError', `${what} must be an object`);
  return value;
}

function bytesOf(value: unknown, what: string): Uint8Array<ArrayBuffer> {
  const text = isFields(value) ? value['$bytes'] : undefined;
  if (typeof text !== 'string') throw new CryptoRefusal('TypeError', `${what} must be an ArrayBuffer or a view of one`);
  return new Uint8Array(Buffer.from(text, 'base64'));
}

const base64 = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('base64');

/** An algorithm with known members only, so that no parameter reaches the library unseen. */
async function algorithmOf(value: unknown): Promise<webcrypto.Algorithm & Fields> {
  const given = fieldsOf(value, 'the algorithm');
  const name = typeof given['name'] === 'string' ? ALGORITHMS.get(given['name'].toLowerCase()) : undefined;
  if (name === undefined) throw new CryptoRefusal('NotSupportedError', 'The algorithm is not supported');
  const result: Record<string, unknown> = { name };
  for (const [parameter, member] of Object.entries(given)) {
    if (parameter === 'name' || !PARAMETERS.has(parameter)) continue;
    result[parameter] = await parameterOf(parameter, member);
  }
  const { iterations, modulusLength } = result;
  if (typeof iterations === 'number' && iterations > MAX_ITERATIONS) {
    throw new CryptoRefusal('OperationError', `At most ${MAX_ITERATIONS} iterations are allowed`);
  }
  if (typeof modulusLength === 'number' && modulusLength > MAX_MODULUS_BITS) {
    throw new CryptoRefusal('OperationError', `At most ${MAX_MODULUS_BITS} bits of modulus are allowed`);
  }
  return result as unknown as webcrypto.Algorithm & Fields;
}

async function parameterOf(parameter: string, value: unknown): Promise<unknown> {
  if (parameter === 'public') return keyOf(value, []);
  if (parameter === 'hash') return algorithmOf(typeof value === 'string' ? { name: value } : value);
  if (isFields(value)) return bytesOf(value, parameter);
  if (typeof value === 'number' || typeof value === 'string') return value;
  throw new CryptoRefusal('TypeError', `The parameter ${parameter} is not understood`);
}

function usagesOf(value: unknown): webcrypto.KeyUsage[] {
  if (!Array.isArray(value) || value.length > MAX_USAGES || !value.every((usage) => typeof usage === 'string' && USAGES.has(usage))) {
    throw new CryptoRefusal('TypeError', 'The key usages are not understood');
  }
  return value as webcrypto.KeyUsage[];
}

const FORMATS = new Set(['raw', 'pkcs8', 'spki']);

/** Makes a key of what the guest keeps; `usages` are those that the operation at hand needs. */
async function keyOf(value: unknown, usages: webcrypto.KeyUsage[]): Promise<Key> {
  const material = fieldsOf(isFields(value) ? value['$key'] : undefined, 'the key');
  const { format, data } = material;
  if (typeof format !== 'string' || !FORMATS.has(format) || typeof data !== 'string')
    throw new CryptoRefusal('DataError', 'The key is not understood');
  const algorithm = await algorithmOf(material['algorithm']);
  const isExtractable = !DERIVATION_ONLY.has(algorithm.name);
  return subtle.importKey(format as 'raw', new Uint8Array(Buffer.from(data, 'base64')), algorithm, isExtractable, usages);
}

/** How a key goes back into the guest. */
async function materialOf(key: Key, usages: readonly string[]): Promise<Fields> {
  const format = key.type === 'secret' ? 'raw' : key.type === 'private' ? 'pkcs8' : 'spki';
  const data = base64((await subtle.exportKey(format, key)) as ArrayBuffer);
  return { format, data, type: key.type, algorithm: plainAlgorithm(key.algorithm), usages };
}

function plainAlgorithm(algorithm: webcrypto.KeyAlgorithm): Fields {
  const members: readonly [string, unknown][] = Object.entries({ ...algorithm });
  const entries = members.map(([name, value]) => {
    if (value instanceof Uint8Array) return [name, { $bytes: Buffer.from(value).toString('base64') }];
    return [name, isFields(value) ? { ...value } : value];
  });
  return Object.fromEntries(entries) as Fields;
}

async function importKey(request: Fields): Promise<unknown> {
  const algorithm = await algorithmOf(request['algorithm']);
  const usages = usagesOf(request['usages']);
  const { format } = request;
  if (DERIVATION_ONLY.has(algorithm.name)) {
    const data = bytesOf(request['data'], 'the key data');
    if (format !== 'raw') throw new CryptoRefusal('NotSupportedError', 'Such a key is imported from raw bytes');
    await subtle.importKey('raw', data, algorithm, false, usages);
    return { format: 'raw', data: Buffer.from(data).toString('base64'), type: 'secret', algorithm: { name: algorithm.name }, usages };
  }
  const key =
    format === 'jwk'
      ? await subtle.importKey('jwk', { ...fieldsOf(request['data'], 'the key data') }, algorithm, true, usages)
      : await subtle.importKey(checkedFormat(format), bytesOf(request['data'], 'the key data'), algorithm, true, usages);
  return materialOf(key, usages);
}

function checkedFormat(format: unknown): 'raw' | 'pkcs8' | 'spki' {
  if (typeof format !== 'string' || !FORMATS.has(format)) throw new CryptoRefusal('NotSupportedError', 'The key format is not supported');
  return format as 'raw';
}

async function exportKey(request: Fields): Promise<unknown> {
  const key = await keyOf(request['key'], privateUsagesOf(request['key']));
  if (request['format'] !== 'jwk') return base64((await subtle.exportKey(checkedFormat(request['format']), key)) as ArrayBuffer);
  return subtle.exportKey('jwk', key);
}

/** Importing a private or secret key without any usage is an error by the standard. */
function privateUsagesOf(value: unknown): webcrypto.KeyUsage[] {
  const material = fieldsOf(isFields(value) ? value['$key'] : undefined, 'the key');
  if (material['type'] === 'public') return [];
  const algorithm = fieldsOf(material['algorithm'], 'the algorithm')['name'];
  if (algorithm === 'ECDH' || algorithm === 'X25519') return ['deriveBits'];
  return typeof algorithm === 'string' && (algorithm.startsWith('AES') || algorithm === 'RSA-OAEP') ? ['decrypt'] : ['sign'];
}

async function generateKey(request: Fields): Promise<unknown> {
  const usages = usagesOf(request['usages']);
  const made = await subtle.generateKey(await algorithmOf(request['algorithm']), true, usages);
  if (!('publicKey' in made)) return materialOf(made, usages);
  return { publicKey: await materialOf(made.publicKey, usages), privateKey: await materialOf(made.privateKey, usages) };
}

async function deriveKey(request: Fields): Promise<unknown> {
  const usages = usagesOf(request['usages']);
  const base = await keyOf(request['key'], ['deriveKey']);
  const derived = await algorithmOf(request['derived']);
  const key = await subtle.deriveKey(await algorithmOf(request['algorithm']), base, derived, true, usages);
  return materialOf(key, usages);
}

async function deriveBits(request: Fields): Promise<unknown> {
  const { length } = request;
  if (typeof length !== 'number' || length > MAX_DERIVED_BITS) {
    throw new CryptoRefusal('OperationError', `The length must be a number of bits up to ${MAX_DERIVED_BITS}`);
  }
  const key = await keyOf(request['key'], ['deriveBits']);
  return base64(await subtle.deriveBits(await algorithmOf(request['algorithm']), key, length));
}

/** sign, encrypt and decrypt have one shape. */
async function transform(op: 'sign' | 'encrypt' | 'decrypt', request: Fields): Promise<unknown> {
  const key = await keyOf(request['key'], [op]);
  return base64(await subtle[op](await algorithmOf(request['algorithm']), key, bytesOf(request['data'], 'the data')));
}

async function compute(request: Fields): Promise<unknown> {
  switch (request['op']) {
    case 'digest':
      return base64(await subtle.digest(await algorithmOf(request['algorithm']), bytesOf(request['data'], 'the data')));
    case 'sign':
    case 'encrypt':
    case 'decrypt':
      return transform(request['op'], request);
    case 'verify': {
      const key = await keyOf(request['key'], ['verify']);
      const signature = bytesOf(request['signature'], 'the signature');
      return subtle.verify(await algorithmOf(request['algorithm']), key, signature, bytesOf(request['data'], 'the data'));
    }
    case 'importKey':
      return importKey(request);
    case 'exportKey':
      return exportKey(request);
    case 'generateKey':
      return generateKey(request);
    case 'deriveBits':
      return deriveBits(request);
    case 'deriveKey':
      return deriveKey(request);
    default:
      throw new CryptoRefusal('NotSupportedError', 'The operation is not supported');
  }
}

const SAFE_NAMES = new Set(['TypeError', 'DataError', 'NotSupportedError', 'OperationError', 'SyntaxError', 'InvalidAccessError']);

/** Answers one `crypto` post. Never rejects; the answer is JSON text for `deliver(id, true, …)`. */
export async function answerCrypto(text: string): Promise<string> {
  try {
    if (text.length > MAX_REQUEST_CHARS) throw new CryptoRefusal('OperationError', 'The request is too large');
    const request = fieldsOf(JSON.parse(text), 'the request');
    return JSON.stringify({ ok: true, value: await compute(request) });
  } catch (error) {
    return JSON.stringify({ ok: false, ...publicError(error) });
  }
}

/** The library's own texts (OpenSSL's, file paths in them) stay here. */
function publicError(error: unknown): { readonly name: string; readonly message: string } {
  if (error instanceof CryptoRefusal) return { name: error.name, message: error.message };
  const name = error instanceof Error && SAFE_NAMES.has(error.name) ? error.name : 'OperationError';
  return { name, message: 'crypto.subtle: the operation failed; check algorithm, key and parameters' };
}
