import { decodeBase64, encodeBase64 } from './base64.ts';
import { DOMException } from './dom-exception.ts';
import { type CallEnd, currentExecution, makeCall } from './execution.ts';
import { define } from './primordials.ts';
import { getRandomValues, randomUuid } from './random.ts';

/** What the host needs to make the key again; a key lives in the guest only, the host keeps nothing between calls. */
interface Material {
  readonly format: 'raw' | 'pkcs8' | 'spki';
  readonly data: string;
  readonly type: 'secret' | 'private' | 'public';
  readonly algorithm: Record<string, unknown>;
  readonly usages: readonly string[];
}

let materialOf: (key: CryptoKey) => Material;

class CryptoKey {
  readonly #material: Material;
  readonly extractable: boolean;
  readonly usages: readonly string[];

  static {
    materialOf = (key) => key.#material;
  }

  constructor(material: Material, extractable: boolean, usages: readonly string[]) {
    this.#material = material;
    this.extractable = extractable;
    this.usages = usages;
  }

  get type(): string {
    return this.#material.type;
  }

  get algorithm(): unknown {
    return decoded(this.#material.algorithm);
  }

  get [Symbol.toStringTag](): string {
    return 'CryptoKey';
  }
}

/** Bytes as `{ $bytes }` and keys as `{ $key }`, both ways; algorithm parameters are small and flat. */
function encoded(value: unknown, depth = 0): unknown {
  if (depth > 4) throw new TypeError('crypto.subtle: the parameters are nested too deeply');
  if (value instanceof ArrayBuffer) return { $bytes: encodeBase64(new Uint8Array(value)) };
  if (ArrayBuffer.isView(value)) return { $bytes: encodeBase64(new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength)) };
  if (value instanceof CryptoKey) return { $key: materialOf(value) };
  if (Array.isArray(value)) return value.map((item) => encoded(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, encoded(item, depth + 1)]));
}

function decoded(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { $bytes } = value as { $bytes?: unknown };
  if (typeof $bytes === 'string') return decodeBase64($bytes);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, decoded(item)]));
}

interface HostAnswer {
  readonly ok: boolean;
  readonly name?: string;
  readonly message?: string;
  readonly value?: unknown;
}

function ask(op: string, parameters: Record<string, unknown>): Promise<unknown> {
  const execution = currentExecution();
  if (execution === undefined) throw new DOMException('crypto.subtle cannot be used while a bundle loads', 'InvalidStateError');
  const text = JSON.stringify({ op, ...(encoded(parameters) as object) });
  return new Promise((resolve, reject) => {
    makeCall(execution, 'crypto', text, (end: CallEnd) => {
      try {
        if (end.kind !== 'answer') throw new DOMException(end.text, 'OperationError');
        const answer = JSON.parse(end.text) as HostAnswer;
        if (answer.ok) resolve(answer.value);
        else reject(failure(answer));
      } catch (error) {
        reject(error);
      }
    });
  });
}

function failure({ name = 'OperationError', message = '' }: HostAnswer): Error {
  return name === 'TypeError' ? new TypeError(message) : new DOMException(message, name);
}

const bufferOf = (value: unknown): ArrayBuffer => decodeBase64(value as string).buffer as ArrayBuffer;

const named = (algorithm: unknown): Record<string, unknown> =>
  typeof algorithm === 'string' ? { name: algorithm } : (algorithm as Record<string, unknown>);

function usable(key: unknown, usage: string, algorithm: unknown): CryptoKey {
  if (!(key instanceof CryptoKey)) throw new TypeError('crypto.subtle: the key must be a CryptoKey');
  const keyName = String(materialOf(key).algorithm['name']);
  if (!key.usages.includes(usage)) throw new DOMException(`The key cannot be used to ${usage}`, 'InvalidAccessError');
  if (String(named(algorithm)['name']).toLowerCase() !== keyName.toLowerCase()) {
    throw new DOMException('The key is of another algorithm', 'InvalidAccessError');
  }
  return key;
}

/** Public halves keep only what a public key can do. */
const PUBLIC_USAGES = ['verify', 'encrypt', 'wrapKey'];

function keyOf(material: unknown, extractable: unknown, usages: readonly string[]): CryptoKey {
  const made = material as Material;
  const allowed = made.type === 'public' ? usages.filter((usage) => PUBLIC_USAGES.includes(usage)) : usages;
  const kept = made.type === 'private' ? allowed.filter((usage) => !PUBLIC_USAGES.includes(usage)) : allowed;
  return new CryptoKey(made, made.type === 'public' || Boolean(extractable), [...kept]);
}

const subtle = {
  async digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
    return bufferOf(await ask('digest', { algorithm: named(algorithm), data }));
  },
  async sign(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
    return bufferOf(await ask('sign', { algorithm: named(algorithm), key: usable(key, 'sign', algorithm), data }));
  },
  async verify(algorithm: unknown, key: unknown, signature: unknown, data: unknown): Promise<unknown> {
    return ask('verify', { algorithm: named(algorithm), key: usable(key, 'verify', algorithm), signature, data });
  },
  async encrypt(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
    return bufferOf(await ask('encrypt', { algorithm: named(algorithm), key: usable(key, 'encrypt', algorithm), data }));
  },
  async decrypt(algorithm: unknown, key: unknown, data: unknown): Promise<ArrayBuffer> {
    return bufferOf(await ask('decrypt', { algorithm: named(algorithm), key: usable(key, 'decrypt', algorithm), data }));
  },
  async importKey(format: unknown, data: unknown, algorithm: unknown, extractable: unknown, usages: readonly string[]): Promise<CryptoKey> {
    return keyOf(await ask('importKey', { format, data, algorithm: named(algorithm), usages }), extractable, usages);
  },
  async exportKey(format: unknown, key: unknown): Promise<unknown> {
    if (!(key instanceof CryptoKey)) throw new TypeError('crypto.subtle: the key must be a CryptoKey');
    if (!key.extractable) throw new DOMException('The key is not extractable', 'InvalidAccessError');
    const exported = await ask('exportKey', { format, key });
    if (format !== 'jwk') return bufferOf(exported);
    return { ...(exported as object), key_ops: [...key.usages], ext: key.extractable };
  },
  async generateKey(algorithm: unknown, extractable: unknown, usages: readonly string[]): Promise<unknown> {
    const made = (await ask('generateKey', { algorithm: named(algorithm), usages })) as {
      readonly publicKey?: unknown;
      readonly privateKey?: unknown;
    };
    if (made.publicKey === undefined) return keyOf(made, extractable, usages);
    return { publicKey: keyOf(made.publicKey, true, usages), privateKey: keyOf(made.privateKey, extractable, usages) };
  },
  async deriveBits(algorithm: unknown, key: unknown, length: unknown): Promise<ArrayBuffer> {
    return bufferOf(await ask('deriveBits', { algorithm: named(algorithm), key: usable(key, 'deriveBits', algorithm), length }));
  },
  async deriveKey(algorithm: unknown, key: unknown, derived: unknown, extractable: unknown, usages: readonly string[]): Promise<CryptoKey> {
    const parameters = { algorithm: named(algorithm), key: usable(key, 'deriveKey', algorithm), derived: named(derived), usages };
    return keyOf(await ask('deriveKey', parameters), extractable, usages);
  },
};

export function installCrypto(): void {
  define(globalThis, 'CryptoKey', CryptoKey);
  define(globalThis, 'crypto', { getRandomValues, randomUUID: randomUuid, subtle });
}
