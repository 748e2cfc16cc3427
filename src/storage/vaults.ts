import { encodeText } from "../protocol/text.ts";
import { type CipherName, KEY_BYTES } from "../seams/ciphers.ts";
import type { Disk } from "../seams/disk.ts";
import type { Random } from "../seams/random.ts";
import type { Documents, FoundDocument } from "./documents.ts";
import {
  cipherNumber,
  cipherOf,
  DerivedKeys,
  type EncryptionSetup,
  type FileCipher,
  type Keys,
  Nonces,
} from "./encryption.ts";
import { StorageError } from "./errors.ts";

/** What vaults work with. */
export interface VaultsContext {
  readonly disk: Disk;
  readonly random: Random;
  readonly documents: Documents;
  /** The directory of a place. */
  path(place: readonly string[]): string;
}

/** The name of the document with a key. */
const KEY_NAME = "key";

/**
 * The keys of a storage. What belongs together — a stream, its document, its consumers — has a random key, from which those of its files are derived. It lies in
 * a document below the stream's place, encrypted with a key that is derived from what the user has given: when that changes, this document is
 * all that is written anew.
 */
export class Vaults {
  readonly #context: VaultsContext;
  readonly #setup: EncryptionSetup;
  readonly #nonces: Nonces;
  /** By the path of the directory. */
  readonly #open = new Map<string, Promise<Uint8Array>>();

  constructor(context: VaultsContext, setup: EncryptionSetup) {
    this.#context = context;
    this.#setup = setup;
    this.#nonces = new Nonces(context.random);
  }

  /**
   * The keys for the files at a place. Undefined when what is there need not be encrypted.
   * @param make - whether they are made when there are none, and nothing there needs those that there were.
   * @throws StorageError "encrypted" (rejects) when the user's key is another; DiskError
   */
  async keys(place: readonly string[], make: boolean): Promise<Keys | undefined> {
    const at = this.#setup.keyPlace(place);
    if (at === undefined) return undefined;
    const directory = this.#context.path(at);
    let opening = this.#open.get(directory);
    if (opening === undefined) {
      opening = this.#key(at, directory, make);
      this.#open.set(directory, opening);
      opening.catch(() => {
        if (this.#open.get(directory) === opening) this.#open.delete(directory);
      });
    }
    return new DerivedKeys(this.#setup, this.#nonces, await opening, `${JSON.stringify(place)} `);
  }

  /** What was at and below a directory is gone. */
  forget(directory: string): void {
    for (const path of this.#open.keys()) {
      if (path === directory || path.startsWith(`${directory}/`)) this.#open.delete(path);
    }
  }

  async #key(place: readonly string[], directory: string, make: boolean): Promise<Uint8Array> {
    const { documents, disk } = this.#context;
    const path = `${directory}/${KEY_NAME}`;
    const found = await documents.read(path);
    if (found !== undefined) return this.#unlock(place, path, found);
    if (!make || (await disk.list(directory)).some(needsKey))
      throw new StorageError("encrypted", `${directory} is encrypted, and its key cannot be read`);
    const key = new Uint8Array(KEY_BYTES);
    this.#context.random.fill(key);
    await disk.makeDirectory(directory);
    await this.#lock(place, path, key);
    return key;
  }

  /** Encrypts a key with the one that the user has given, and keeps it. */
  async #lock(place: readonly string[], path: string, key: Uint8Array): Promise<void> {
    const { cipher, key: secret } = this.#setup;
    const box = this.#wrapper(secret, cipher, place).box(key, BOUND);
    const bytes = new Uint8Array(1 + box.length);
    bytes[0] = cipherNumber(cipher);
    bytes.set(box, 1);
    await this.#context.documents.write(path, bytes);
  }

  async #unlock(
    place: readonly string[],
    path: string,
    { bytes, twice }: FoundDocument,
  ): Promise<Uint8Array> {
    const { cipher, key: secret, previousKey } = this.#setup;
    const locked = cipherOf(bytes[0]);
    const open = (given: string | undefined): Uint8Array | undefined =>
      given === undefined || locked === undefined
        ? undefined
        : this.#wrapper(given, locked, place).decrypt(bytes.subarray(1), BOUND);
    const key = open(secret);
    if (key !== undefined && locked === cipher) {
      // The other file is not there, or is one for the key before: this one alone would be all that there is. It can be used all the same.
      if (!twice) await this.#lock(place, path, key).catch(() => {});
      return key;
    }
    const found = key ?? open(previousKey);
    if (found === undefined) throw new StorageError("encrypted", "unable to recover keys");
    await this.#lock(place, path, found);
    return found;
  }

  #wrapper(secret: string, cipher: CipherName, place: readonly string[]): FileCipher {
    const keys = new DerivedKeys(this.#setup, this.#nonces, encodeText(secret), `${JSON.stringify(place)} `);
    return keys.file(cipher, KEY_NAME);
  }
}

const BOUND = encodeText("gnatlet key");

/** Whether a file, beside which there is no key that can be read, says that there was one. */
function needsKey(name: string): boolean {
  return name.startsWith(`${KEY_NAME}.`) ? !name.endsWith(".tmp") : /\.(chacha|aes)\./.test(name);
}
