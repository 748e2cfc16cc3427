import { assert } from "../protocol/assert.ts";
import { encodeText } from "../protocol/text.ts";
import type { Clock } from "../seams/clock.ts";
import { type Disk, DiskError, type DiskLock, type FileSizes } from "../seams/disk.ts";
import type { Random } from "../seams/random.ts";
import type { Tasks } from "../seams/tasks.ts";
import { type DocumentCipher, Documents } from "./documents.ts";
import { cipherNumber, cipherOf, type EncryptionSetup, type Keys } from "./encryption.ts";
import { NO_KEY, StorageError } from "./errors.ts";
import { FileJournal } from "./file-journal.ts";
import type { LogContext } from "./file-log.ts";
import { fileName, nameOf } from "./places.ts";
import { openFileStore } from "./recovery.ts";
import type { Journal, Storage } from "./storage.ts";
import type { StoreOptions, StreamStore } from "./store.ts";
import { Vaults } from "./vaults.ts";
import { WindowCache } from "./window-cache.ts";

/** Which of the files at a place a document is. */
const DOCUMENT = "document";
/** How much of the files is kept in memory, over all streams, in bytes. */
const CACHE_BYTES = 64 * 1024 * 1024;

/** What a storage works with. */
export interface StorageContext extends FileSizes {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly tasks: Tasks;
  /** How files are encrypted; undefined for not. */
  readonly encryption?: EncryptionSetup;
}

/** Streams, documents and journals in a directory: docs/storage.md says how. */
export class FileStorage implements Storage {
  readonly #root: string;
  readonly #context: StorageContext;
  readonly #log: LogContext;
  readonly #lock: DiskLock;
  readonly #documents: Documents;
  readonly #vaults: Vaults | undefined;
  readonly #damaged: string[] = [];
  readonly #open = new Map<string, { close(): Promise<void> }>();
  /** Writes of one document wait for each other. */
  readonly #writes = new Map<string, Promise<void>>();

  private constructor(root: string, context: StorageContext, lock: DiskLock) {
    this.#root = root;
    this.#context = context;
    this.#lock = lock;
    const { disk, random, tasks, segmentBytes, roomBytes, burstBytes, blockBytes } = context;
    const cache = new WindowCache(CACHE_BYTES, tasks);
    const closed = (directory: string): void => void this.#open.delete(directory);
    this.#log = { disk, random, tasks, segmentBytes, roomBytes, burstBytes, blockBytes, cache, closed };
    const documents = new Documents(disk, (what) => this.#damaged.push(what));
    this.#documents = documents;
    const path = (place: readonly string[]): string => this.#path(place);
    this.#vaults = context.encryption && new Vaults({ disk, random, documents, path }, context.encryption);
  }

  /**
   * Opens a directory, and makes it when it is not there.
   * @throws StorageError with code "locked" when another process has it; its message says which.
   */
  static async open(directory: string, context: StorageContext): Promise<FileStorage> {
    assert(
      new Uint8Array(Uint32Array.of(1).buffer)[0] === 1,
      "the files are those of little-endian machines",
    );
    await makeLasting(context.disk, directory).catch((error) => {
      throw unusable(error, "could not create storage directory");
    });
    const lock = await context.disk.lock(`${directory}/storage.lock`).catch((error) => {
      throw unusable(error, "storage directory is not writable");
    });
    return new FileStorage(directory, context, lock);
  }

  get damaged(): readonly string[] {
    return this.#damaged;
  }

  async openStream(place: readonly string[], options: StoreOptions): Promise<StreamStore> {
    const path = this.#path(place);
    const keys = await this.#vaults?.keys(place, true);
    const store = await openFileStore(path, this.#log, this.#context.clock, options, keys);
    this.#open.set(path, store);
    return store;
  }

  async openJournal(place: readonly string[]): Promise<Journal> {
    const path = await this.#filePath(place);
    const keys = await this.#vaults?.keys(place, true);
    const journal = await FileJournal.open(path, this.#log, this.#context.clock, keys, (what) =>
      this.#damaged.push(what),
    );
    this.#open.set(`${path}.journal`, journal);
    return journal;
  }

  async readDocument(place: readonly string[]): Promise<Uint8Array | undefined> {
    const found = await this.#documents.read(
      this.#path(place),
      this.#documentCipher(place),
      this.#encrypts(place),
    );
    // It may not be encrypted.
    if (found !== undefined && this.#encrypts(place)) await this.#clear(this.#path(place));
    if (found?.outdated) {
      this.#context.encryption?.converting(place, found.encrypted);
      await this.writeDocument(place, found.bytes);
    }
    return found?.bytes;
  }

  async writeDocument(place: readonly string[], bytes: Uint8Array): Promise<void> {
    const path = await this.#filePath(place);
    const copy = bytes.slice();
    const cipher = this.#encrypts(place) ? this.#documentCipher(place) : undefined;
    await this.#inTurn(path, () => this.#documents.write(path, copy, cipher));
  }

  /** Whether what is at a place is to be encrypted. */
  #encrypts(place: readonly string[]): boolean {
    return this.#context.encryption?.keyPlace(place) !== undefined;
  }

  /** Encrypts the document at a place: the number of the cipher (u8), then the box. */
  #documentCipher(place: readonly string[]): DocumentCipher {
    const keys = async (make: boolean): Promise<Keys> => {
      const found = await this.#vaults?.keys(place, make);
      if (found === undefined) throw new StorageError("encrypted", NO_KEY);
      return found;
    };
    const bound = encodeText(DOCUMENT);
    return {
      encrypt: async (bytes) => {
        const found = await keys(true);
        const box = found.file(found.cipher, DOCUMENT).box(bytes, bound);
        return Uint8Array.of(cipherNumber(found.cipher), ...box);
      },
      decrypt: async (box) => {
        const found = await keys(false);
        const cipher = cipherOf(box[0]);
        const bytes = cipher && found.file(cipher, DOCUMENT).decrypt(box.subarray(1), bound);
        return bytes && { bytes, outdated: cipher !== found.cipher };
      },
    };
  }

  /** Deletes what is left of a document that was being written. */
  async #clear(path: string): Promise<void> {
    await this.#inTurn(path, () => this.#documents.clear(path));
  }

  async deleteDocument(place: readonly string[]): Promise<void> {
    const path = this.#path(place);
    await this.#inTurn(path, () => this.#documents.delete(path));
  }

  async #inTurn(path: string, action: () => Promise<void>): Promise<void> {
    const before = this.#writes.get(path) ?? Promise.resolve();
    const turn = before.then(action, action);
    this.#writes.set(path, turn);
    try {
      await turn;
    } finally {
      if (this.#writes.get(path) === turn) this.#writes.delete(path);
    }
  }

  async list(place: readonly string[]): Promise<string[]> {
    const names = await this.#context.disk.list(this.#path(place));
    return names
      .filter((name) => !name.includes("."))
      .map(nameOf)
      .sort();
  }

  async listDocuments(place: readonly string[]): Promise<string[]> {
    const found = new Set<string>();
    const directory = this.#path(place);
    for (const name of await this.#context.disk.list(directory)) {
      const parts = /^([^.]+)\.(doc|copy)(\.damaged-\d+|\.tmp)?$/.exec(name);
      if (parts === null) continue;
      if (parts[3] === ".tmp") await this.#clear(`${directory}/${parts[1]}`);
      else found.add(nameOf(parts[1]));
    }
    return [...found].sort();
  }

  async deleteAll(place: readonly string[]): Promise<void> {
    const path = this.#path(place);
    this.#vaults?.forget(path);
    if (!(await this.#deleteTree(path))) return;
    await this.#context.disk.syncDirectory(path.slice(0, path.lastIndexOf("/")));
  }

  /** Returns whether it was there. */
  async #deleteTree(directory: string): Promise<boolean> {
    const { disk } = this.#context;
    for (const name of await disk.list(directory)) {
      const path = `${directory}/${name}`;
      if (name.includes(".")) await disk.unlink(path);
      else await this.#deleteTree(path);
    }
    try {
      await disk.removeDirectory(directory);
    } catch (error) {
      if (error instanceof DiskError && error.kind === "missing") return false;
      throw error;
    }
    return true;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((each) => each.close().catch(() => {})));
    this.#open.clear();
    await Promise.allSettled(this.#writes.values());
    await this.#lock.release();
  }

  #path(place: readonly string[]): string {
    return [this.#root, ...place.map(fileName)].join("/");
  }

  /** The path of a file, whose directory is made. It does not last yet. */
  async #filePath(place: readonly string[]): Promise<string> {
    assert(place.length > 0, "a place has a name");
    await this.#context.disk.makeDirectory(this.#path(place.slice(0, -1)));
    return this.#path(place);
  }
}

async function makeLasting(disk: Disk, directory: string): Promise<void> {
  await disk.makeDirectory(directory);
  await disk.keepDirectory(directory);
}

/** Why a directory cannot be used; what is no directory is said in nats-server's words. */
function unusable(error: unknown, what: string): Error {
  assert(error instanceof DiskError, "a disk fails with its own errors");
  if (error.kind === "locked") return new StorageError("locked", error.message);
  if (error.kind === "occupied") return new DiskError(error.kind, "storage directory is not a directory");
  return new DiskError(error.kind, `${what} - ${error.message}`);
}
