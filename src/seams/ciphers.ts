/** How what is kept is encrypted, by nats-server's names: ChaCha20-Poly1305 (RFC 8439), AES-256-GCM. */
export type CipherName = "chacha" | "aes";

/** So many bytes stand before what is encrypted, never the same ones twice with a key; and so many after it, which show whether it is what it was. */
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
/** The bytes of a key. */
export const KEY_BYTES = 32;

/** Encryption, as the outside gives it. Nothing here waits: it is done message by message. */
export interface Ciphers {
  /** Whether the platform has a cipher. */
  has(name: CipherName): boolean;
  /** A cipher with a key of {@link KEY_BYTES}. */
  cipher(name: CipherName, key: Uint8Array): Cipher;
  /** A key made of a secret, another one for each purpose: HMAC-SHA256 of the purpose. */
  derive(secret: Uint8Array, purpose: string): Uint8Array;
}

/** A cipher with its key. */
export interface Cipher {
  /**
   * Encrypts in place what stands in `box` between the nonce, which is there, and the room for the tag.
   * @param bound - must be the same when it is decrypted; it is not in the box.
   */
  encrypt(box: Uint8Array, bound: Uint8Array): void;
  /** What was encrypted, in an array of its own; undefined when the box, the key or `bound` is another. */
  decrypt(box: Uint8Array, bound: Uint8Array): Uint8Array | undefined;
}

/** A cipher as nats-server calls it in its log. */
export function cipherTitle(name: CipherName): string {
  return name === "aes" ? "AES-GCM" : "ChaCha20-Poly1305";
}
