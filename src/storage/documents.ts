import { type Disk, DiskError, type DiskFile } from "../seams/disk.ts";
import { checksum } from "./checksum.ts";
import { type RecordBytes, recordBytes } from "./records.ts";
import { unlinkIfThere } from "./unlink.ts";

/** "gdc1", as a little-endian number; "gdc2" for one that is encrypted. */
const MARK = 0x31636467;
const ENCRYPTED_MARK = 0x32636467;
const HEAD_BYTES = 16;

/** A document as it stands in a file. */
interface Copy {
  readonly version: number;
  readonly bytes: Uint8Array;
  readonly encrypted: boolean;
}

/** A document that was read. */
export interface FoundDocument {
  readonly bytes: Uint8Array;
  readonly encrypted: boolean;
  /** Whether one of its files is not encrypted as it should be. */
  readonly outdated: boolean;
  /** Whether both of its files have it: not after damage to one, nor where writing it was cut short. */
  readonly twice: boolean;
}

/** How a document is encrypted. */
export interface DocumentCipher {
  /** What is written of a document. */
  encrypt(bytes: Uint8Array): Promise<Uint8Array>;
  /** What was encrypted; undefined when it is damaged. @throws StorageError "encrypted" (rejects) without a key. */
  decrypt(box: Uint8Array): Promise<{ readonly bytes: Uint8Array; readonly outdated: boolean } | undefined>;
}

/**
 * Documents: small files that are replaced as a whole. Each is kept twice, as `<name>.doc` and `<name>.copy`, one written after the other, so
 * that damage to one file costs nothing.
 */
export class Documents {
  readonly #disk: Disk;
  readonly #damaged: (what: string) => void;

  /** @param damaged - hears of each file that could not be read, and where it was put. */
  constructor(disk: Disk, damaged: (what: string) => void) {
    this.#disk = disk;
    this.#damaged = damaged;
  }

  /**
   * Reads a document; undefined when there is none that can be read.
   * @param cipher - asked when a file of it is encrypted.
   * @param encrypts - whether those that are not are outdated.
   */
  async read(path: string, cipher?: DocumentCipher, encrypts = false): Promise<FoundDocument | undefined> {
    let newest: Copy | undefined;
    let outdated = false;
    let twice = false;
    for (const suffix of SUFFIXES) {
      const stored = await this.#readCopy(path + suffix);
      if (stored === undefined) continue;
      const copy = stored.encrypted ? await cipher?.decrypt(stored.bytes) : { ...stored, outdated: encrypts };
      if (copy === undefined) {
        await this.#setAside(path + suffix);
        continue;
      }
      outdated ||= copy.outdated;
      twice = newest?.version === stored.version;
      if (newest === undefined || stored.version > newest.version) newest = { ...stored, bytes: copy.bytes };
    }
    // Whoever wrote it may have been killed before its name would last: what is built on it must not be lost with it.
    if (newest !== undefined) await this.#disk.syncDirectory(directoryOf(path));
    return newest && { bytes: newest.bytes, encrypted: newest.encrypted, outdated, twice };
  }

  /** Writes a document. Its directory must be there, but need not last yet. @param cipher - encrypts it. */
  async write(path: string, bytes: Uint8Array, cipher?: DocumentCipher): Promise<void> {
    const newest = await this.#newest(path);
    const version = (newest?.version ?? 0) + 1;
    const stored = cipher === undefined ? bytes : await cipher.encrypt(bytes);
    const { bytes: content } = encode(version, stored, cipher === undefined ? MARK : ENCRYPTED_MARK);
    // What is found after a crash is built on, so that it must not be lost with its directory: that lasts before the document has its name.
    const lasting = this.#disk.keepDirectory(directoryOf(path));
    const writes = SUFFIXES.map((suffix) => this.#writeFile(temporary(path, suffix), content));
    for (const written of await Promise.allSettled([...writes, lasting]))
      if (written.status === "rejected") throw written.reason;
    for (const suffix of SUFFIXES) {
      await this.#disk.rename(temporary(path, suffix), path + suffix);
      // Until the first of the new ones lasts, the second of the old ones stays. If there are none, there is nothing to wait for.
      if (newest !== undefined) await this.#disk.syncDirectory(directoryOf(path));
    }
    if (newest === undefined) await this.#disk.syncDirectory(directoryOf(path));
  }

  /** Deletes what is left of one that was being written when the process ended. None is being written. */
  async clear(path: string): Promise<void> {
    for (const suffix of SUFFIXES) await unlinkIfThere(this.#disk, temporary(path, suffix));
  }

  /** Deletes a document. */
  async delete(path: string): Promise<void> {
    for (const suffix of SUFFIXES) await unlinkIfThere(this.#disk, path + suffix);
    await this.#disk.syncDirectory(directoryOf(path));
  }

  async #writeFile(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.#disk.open(path, true);
    try {
      await file.truncate(0);
      await file.write(bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async #newest(path: string): Promise<Copy | undefined> {
    let newest: Copy | undefined;
    for (const suffix of SUFFIXES) {
      const copy = await this.#readCopy(path + suffix);
      if (copy !== undefined && (newest === undefined || copy.version > newest.version)) newest = copy;
    }
    return newest;
  }

  async #readCopy(path: string): Promise<Copy | undefined> {
    let file: DiskFile;
    try {
      file = await this.#disk.open(path, false);
    } catch (error) {
      if (error instanceof DiskError && error.kind === "missing") return undefined;
      throw error;
    }
    let copy: Copy | undefined;
    try {
      const size = await file.size();
      const content = recordBytes(size);
      const read = await file.read(content.bytes.subarray(0, size), 0);
      copy = read === size ? decode(content, size) : undefined;
    } finally {
      await file.close();
    }
    if (copy === undefined) await this.#setAside(path);
    return copy;
  }

  /** Gives what cannot be read another name: it is for people to look at, and never deleted. */
  async #setAside(path: string): Promise<void> {
    const taken = new Set(await this.#disk.list(directoryOf(path)));
    for (let i = 1; ; i++) {
      const aside = `${path}.damaged-${i}`;
      if (taken.has(aside.slice(directoryOf(path).length + 1))) continue;
      await this.#disk.rename(path, aside);
      await this.#disk.syncDirectory(directoryOf(path));
      this.#damaged(`${path} could not be read, and is kept as ${aside}`);
      return;
    }
  }
}

const SUFFIXES = [".doc", ".copy"];

function temporary(path: string, suffix: string): string {
  return `${path}${suffix}.tmp`;
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** A document's file: mark, checksum of the rest, version, length (u32 each), and the bytes, padded to a multiple of 8. */
function encode(version: number, bytes: Uint8Array, mark: number): RecordBytes {
  const file = recordBytes(HEAD_BYTES + bytes.length);
  file.words[0] = mark;
  file.words[2] = version;
  file.words[3] = bytes.length;
  file.bytes.set(bytes, HEAD_BYTES);
  file.words[1] = checksum(file.words, 2, file.words.length, mark);
  return file;
}

function decode(file: RecordBytes, size: number): Copy | undefined {
  const { words, bytes } = file;
  if (size < HEAD_BYTES || size % 8 !== 0) return undefined;
  const encrypted = words[0] === ENCRYPTED_MARK;
  if (!encrypted && words[0] !== MARK) return undefined;
  if (words[1] !== checksum(words, 2, words.length, words[0])) return undefined;
  const content = bytes.slice(HEAD_BYTES, HEAD_BYTES + (words[3] >>> 0));
  return { version: words[2] >>> 0, bytes: content, encrypted };
}
