import { type CipherGCMTypes, createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import {
  type Cipher,
  type CipherName,
  type Ciphers,
  KEY_BYTES,
  NONCE_BYTES,
  TAG_BYTES,
} from "../../seams/ciphers.ts";

/** As OpenSSL calls them. The types of Node know the two by different signatures that do the same. */
const ALGORITHMS: Readonly<Record<CipherName, string>> = {
  chacha: "chacha20-poly1305",
  aes: "aes-256-gcm",
};

/** Encryption by Node's crypto. */
export class NodeCiphers implements Ciphers {
  has(name: CipherName): boolean {
    // Lists of what there is are not to be relied on: Bun's leaves out what it can do.
    try {
      new NodeCipher(ALGORITHMS[name] as CipherGCMTypes, new Uint8Array(KEY_BYTES)).encrypt(
        new Uint8Array(NONCE_BYTES + TAG_BYTES),
        new Uint8Array(0),
      );
      return true;
    } catch {
      return false;
    }
  }

  cipher(name: CipherName, key: Uint8Array): Cipher {
    return new NodeCipher(ALGORITHMS[name] as CipherGCMTypes, key);
  }

  derive(secret: Uint8Array, purpose: string): Uint8Array {
    return new Uint8Array(createHmac("sha256", secret).update(purpose).digest());
  }
}

class NodeCipher implements Cipher {
  readonly #algorithm: CipherGCMTypes;
  readonly #key: Uint8Array;

  constructor(algorithm: CipherGCMTypes, key: Uint8Array) {
    this.#algorithm = algorithm;
    this.#key = key;
  }

  encrypt(box: Uint8Array, bound: Uint8Array): void {
    const end = box.length - TAG_BYTES;
    const nonce = box.subarray(0, NONCE_BYTES);
    const cipher = createCipheriv(this.#algorithm, this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(bound);
    box.set(cipher.update(box.subarray(NONCE_BYTES, end)), NONCE_BYTES);
    cipher.final();
    box.set(cipher.getAuthTag(), end);
  }

  decrypt(box: Uint8Array, bound: Uint8Array): Uint8Array | undefined {
    const end = box.length - TAG_BYTES;
    if (end < NONCE_BYTES) return undefined;
    const nonce = box.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(this.#algorithm, this.#key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(bound);
    decipher.setAuthTag(box.subarray(end));
    const { buffer, byteOffset, byteLength } = decipher.update(box.subarray(NONCE_BYTES, end));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
}
