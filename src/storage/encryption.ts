import { type Cipher, type CipherName, type Ciphers, NONCE_BYTES, TAG_BYTES } from "../seams/ciphers.ts";
import type { Random } from "../seams/random.ts";

/** So many bytes more than what it encrypts has a box: a nonce before it, a tag after it. */
export const BOX_BYTES = NONCE_BYTES + TAG_BYTES;

/** So many nonces are made at once. */
const NONCES = 64;

/** How files are encrypted, as the user wants it. */
export interface EncryptionSettings {
  readonly ciphers: Ciphers;
  /** How what is written is encrypted; what is there already may be in another way. */
  readonly cipher: CipherName;
  readonly key: string;
  /** What the key was before, if it has been changed. */
  readonly previousKey: string | undefined;
}

/** With what, and how, the files of a storage are encrypted. */
export interface EncryptionSetup extends EncryptionSettings {
  /** The place of the key for what is at a place: it lies below it, and goes with it. Undefined for what needs none, as it says nothing. */
  keyPlace(place: readonly string[]): readonly string[] | undefined;
  /** Hears of each document that was found otherwise than it should be, and is written anew. @param encrypted - whether it was encrypted, in another way. */
  converting(place: readonly string[], encrypted: boolean): void;
}

/** The keys for the files at a place. */
export interface Keys {
  /** How what is written is to be encrypted. */
  readonly cipher: CipherName;
  /** For a file: each name has a key of its own. */
  file(cipher: CipherName, name: string): FileCipher;
}

/** Numbers that are never used twice with a key: at random, of 96 bits, and a key is for one file. */
export class Nonces {
  readonly #random: Random;
  readonly #bytes = new Uint8Array(NONCES * NONCE_BYTES);
  #used = this.#bytes.length;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Writes the next one to the beginning of a box. */
  put(box: Uint8Array): void {
    if (this.#used === this.#bytes.length) {
      this.#random.fill(this.#bytes);
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += NONCE_BYTES;
    box.set(this.#bytes.subarray(from, this.#used));
  }
}

/** Encrypts what is in one file. */
export class FileCipher {
  readonly #nonces: Nonces;
  readonly #make: () => Cipher;
  #made: Cipher | undefined;

  /** @param make - called when it is used first: of many files most are not, for long. */
  constructor(nonces: Nonces, make: () => Cipher) {
    this.#nonces = nonces;
    this.#make = make;
  }

  get #cipher(): Cipher {
    this.#made ??= this.#make();
    return this.#made;
  }

  /** Encrypts in place what stands in `box` between the room for the nonce and that for the tag. */
  encrypt(box: Uint8Array, bound: Uint8Array): void {
    this.#nonces.put(box);
    this.#cipher.encrypt(box, bound);
  }

  /** See {@link Cipher.decrypt}. */
  decrypt(box: Uint8Array, bound: Uint8Array): Uint8Array | undefined {
    return this.#cipher.decrypt(box, bound);
  }

  /** A box with these bytes. */
  box(bytes: Uint8Array, bound: Uint8Array): Uint8Array {
    const box = new Uint8Array(bytes.length + BOX_BYTES);
    box.set(bytes, NONCE_BYTES);
    this.encrypt(box, bound);
    return box;
  }
}

/** Keys that are made of one. */
export class DerivedKeys implements Keys {
  readonly cipher: CipherName;
  readonly #ciphers: Ciphers;
  readonly #nonces: Nonces;
  readonly #key: Uint8Array;
  readonly #purpose: string;

  /** @param purpose - what comes before the names of files. */
  constructor(
    { ciphers, cipher }: Pick<EncryptionSetup, "ciphers" | "cipher">,
    nonces: Nonces,
    key: Uint8Array,
    purpose: string,
  ) {
    this.cipher = cipher;
    this.#ciphers = ciphers;
    this.#nonces = nonces;
    this.#key = key;
    this.#purpose = purpose;
  }

  file(cipher: CipherName, name: string): FileCipher {
    return new FileCipher(this.#nonces, () => {
      const key = this.#ciphers.derive(this.#key, `${this.#purpose}${name} ${cipher}`);
      return this.#ciphers.cipher(cipher, key);
    });
  }
}

/** A number for each cipher, where there is no room for its name. */
const NUMBERS: readonly CipherName[] = ["chacha", "aes"];

/** The number of a cipher: not 0. */
export function cipherNumber(name: CipherName): number {
  return NUMBERS.indexOf(name) + 1;
}

/** The cipher with a number; undefined for none. */
export function cipherOf(number: number): CipherName | undefined {
  return NUMBERS[number - 1];
}
