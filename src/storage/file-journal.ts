import { messageOf } from "../protocol/message-of.ts";
import { EMPTY } from "../protocol/text.ts";
import type { CipherName } from "../seams/ciphers.ts";
import type { Clock } from "../seams/clock.ts";
import { type Disk, DiskError, type DiskFile } from "../seams/disk.ts";
import type { Keys } from "./encryption.ts";
import { NO_KEY, StorageError } from "./errors.ts";
import type { LogContext } from "./file-log.ts";
import { Pacer } from "./pacer.ts";
import { encryptedSize, RecordCipher } from "./record-cipher.ts";
import { KIND_NOTE, padded, recordBytes, recordSize, seedAt, writeRecord } from "./records.ts";
import { findTail, Scanner, type ScanVisitor } from "./scan.ts";
import type { Journal } from "./storage.ts";
import { unlinkIfThere } from "./unlink.ts";

const JOURNAL_NAME = /^([0-9a-f]{8})-([0-9a-f]{8})(?:\.(chacha|aes))?\.journal(\.tmp)?$/;

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");

interface Waiter {
  resolve(): void;
  reject(error: StorageError): void;
}

/**
 * A journal in a file `<name>.<generation>-<salt>.journal`, with `.<cipher>` before the ending if it is encrypted: note records whose sequences count up, and that begin anew with every compaction, in a
 * file of the next generation.
 */
export class FileJournal implements Journal {
  readonly found: readonly Uint8Array[];
  readonly #path: string;
  readonly #context: LogContext;
  readonly #keys: Keys | undefined;
  #file: DiskFile;
  #journal: JournalFile;
  /** What is in the file, and known to be whole. */
  #size: number;
  #seq: number;
  #pending: Uint8Array[] = [];
  #waiters: Waiter[] = [];
  #compaction: Uint8Array | undefined;
  #running: Promise<void> | undefined;
  #stopped: StorageError | undefined;

  private constructor(path: string, context: LogContext, keys: Keys | undefined, opened: OpenedJournal) {
    this.#path = path;
    this.#context = context;
    this.#keys = keys;
    this.found = opened.records;
    this.#file = opened.file;
    this.#journal = opened.journal;
    this.#size = opened.size;
    this.#seq = opened.seq;
  }

  /**
   * Opens the journal with a path, to which its ending is added.
   * @param keys - when it is to be encrypted; it is written anew then, if it is not, or not as it should be.
   * @param damaged - hears of what could not be read.
   * @throws StorageError "encrypted" (rejects) when it is, and there are no keys.
   */
  static async open(
    path: string,
    context: LogContext,
    clock: Clock,
    keys: Keys | undefined,
    damaged: (what: string) => void,
  ): Promise<FileJournal> {
    const opened = await openJournal(path, context, clock, keys, damaged);
    const journal = new FileJournal(path, context, keys, opened);
    if (opened.journal.cipher === keys?.cipher) return journal;
    try {
      await journal.#replace(opened.records);
    } catch (error) {
      await journal.#file.close();
      throw error;
    }
    return journal;
  }

  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): void {
    if (this.#stopped !== undefined) throw this.#stopped;
    this.#pending.push(bytes.slice());
  }

  flush(): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#run();
    });
  }

  async compact(bytes: Uint8Array): Promise<void> {
    if (this.#stopped !== undefined) throw this.#stopped;
    // It says what all records so far come to, those that wait among them.
    this.#pending = [];
    this.#compaction = bytes.slice();
    await this.flush();
  }

  async close(): Promise<void> {
    if (this.#stopped === undefined) await this.flush().catch(() => {});
    await this.#running;
    this.#stopped ??= new StorageError("stopped", "the journal is closed");
    await this.#file.close();
  }

  #run(): void {
    if (this.#running !== undefined) return;
    this.#running = new Promise((resolve) => {
      this.#context.tasks.soon(() => {
        void this.#work().then(() => {
          this.#running = undefined;
          resolve();
          if (this.#waiters.length > 0) this.#run();
        });
      });
    });
  }

  async #work(): Promise<void> {
    while (this.#waiters.length > 0) {
      const waiters = this.#waiters.splice(0);
      const pending = this.#pending.splice(0);
      const compaction = this.#compaction;
      this.#compaction = undefined;
      try {
        if (this.#stopped !== undefined) throw this.#stopped;
        if (compaction !== undefined) await this.#replace([compaction]);
        if (pending.length > 0) await this.#write(pending);
        for (const waiter of waiters) waiter.resolve();
      } catch (error) {
        const failed = this.#fail(error, pending, compaction);
        for (const waiter of waiters) waiter.reject(failed);
      }
    }
  }

  /** A full disk is tried again with the next flush; anything else is the end. */
  #fail(error: unknown, pending: Uint8Array[], compaction: Uint8Array | undefined): StorageError {
    if (error instanceof StorageError) return error;
    const text = `${this.#path}: ${messageOf(error)}`;
    if (error instanceof DiskError && error.kind === "full") {
      if (this.#compaction === undefined) {
        this.#compaction = compaction;
        this.#pending.unshift(...pending);
      }
      return new StorageError("full", text);
    }
    this.#stopped = new StorageError("stopped", text);
    return this.#stopped;
  }

  async #write(pending: readonly Uint8Array[]): Promise<void> {
    const { bytes, seq } = this.#encode(pending, this.#journal, this.#size, this.#seq);
    try {
      await this.#file.writeSynced([bytes], this.#size);
    } catch (error) {
      await this.#file.truncate(this.#size);
      await this.#file.sync();
      throw error;
    }
    this.#size += bytes.length;
    this.#seq = seq;
  }

  /** Puts a file with these records in the place of the one there was. */
  async #replace(records: readonly Uint8Array[]): Promise<void> {
    const { disk } = this.#context;
    const next = newJournal(this.#path, this.#journal.generation + 1, this.#context, this.#keys);
    const { bytes, seq } = this.#encode(records, next, 0, 0);
    const { name } = next;
    const temporary = `${name}.tmp`;
    const file = await disk.open(temporary, true);
    try {
      await file.writeSynced([bytes], 0);
      await disk.rename(temporary, name);
    } catch (error) {
      await file.close();
      await unlinkIfThere(disk, temporary);
      throw error;
    }
    try {
      await disk.syncDirectory(directoryOf(name));
    } catch (error) {
      await file.close();
      // Which of the two the next start finds is not known any more, so nothing more may be said to be in either.
      throw new DiskError("failed", messageOf(error));
    }
    const old = { file: this.#file, name: this.#journal.name };
    this.#file = file;
    this.#journal = next;
    this.#size = bytes.length;
    this.#seq = seq;
    await old.file.close();
    await unlinkIfThere(disk, old.name);
  }

  #encode(
    entries: readonly Uint8Array[],
    { salt, records: cipher }: JournalFile,
    position: number,
    seq: number,
  ): { bytes: Uint8Array; seq: number } {
    let size = 0;
    for (const { length } of entries)
      size += cipher === undefined ? recordSize(0, 0, length) : encryptedSize(0, 0, length);
    const room = recordBytes(padded(size));
    let at = 0;
    for (const entry of entries) {
      seq += 1;
      const head = { kind: KIND_NOTE, flags: 0, seq, micros: 0, gap: 0, durable: position / 8, ttl: 0 };
      const seed = seedAt(salt, position + at);
      at =
        cipher === undefined
          ? writeRecord(room, at, seed, head, "", EMPTY, entry)
          : cipher.write(room, at, seed, head, "", EMPTY, entry);
    }
    return { bytes: room.bytes, seq };
  }
}

/** A file of a journal. */
interface JournalFile {
  readonly name: string;
  readonly generation: number;
  readonly salt: number;
  readonly cipher: CipherName | undefined;
  /** Encrypts its records. */
  readonly records: RecordCipher | undefined;
}

interface OpenedJournal {
  readonly records: Uint8Array[];
  readonly file: DiskFile;
  readonly journal: JournalFile;
  readonly size: number;
  readonly seq: number;
}

function journalFile(
  path: string,
  generation: number,
  salt: number,
  cipher: CipherName | undefined,
  keys: Keys | undefined,
): JournalFile {
  const name = `${hex(generation)}-${hex(salt)}${cipher === undefined ? "" : `.${cipher}`}.journal`;
  const records = cipher && keys && new RecordCipher(keys.file(cipher, name));
  return { name: `${path}.${name}`, generation, salt, cipher, records };
}

function newJournal(
  path: string,
  generation: number,
  { random }: LogContext,
  keys: Keys | undefined,
): JournalFile {
  const bytes = new Uint8Array(4);
  random.fill(bytes);
  return journalFile(path, generation, new DataView(bytes.buffer).getUint32(0), keys?.cipher, keys);
}

async function openJournal(
  path: string,
  context: LogContext,
  clock: Clock,
  keys: Keys | undefined,
  damaged: (what: string) => void,
): Promise<OpenedJournal> {
  const { disk } = context;
  const files = await findJournals(disk, path, keys);
  const newest = files[files.length - 1];
  if (newest === undefined) {
    const journal = newJournal(path, 1, context, keys);
    const file = await disk.open(journal.name, true);
    await Promise.all([disk.keepDirectory(directoryOf(path)), disk.syncDirectory(directoryOf(path))]);
    return { records: [], file, journal, size: 0, seq: 0 };
  }
  // Whoever made or renamed it may have been killed before that would last.
  await disk.syncDirectory(directoryOf(path));
  const opened = await readJournal(newest, disk, new Pacer(clock), damaged);
  // What came before was replaced by this one; should this one have lost its first record, then it is kept for people to look at.
  if (opened.whole) for (const each of files.slice(0, -1)) await unlinkIfThere(disk, each.name);
  return opened;
}

async function findJournals(disk: Disk, path: string, keys: Keys | undefined): Promise<JournalFile[]> {
  const prefix = `${path.slice(path.lastIndexOf("/") + 1)}.`;
  const files: JournalFile[] = [];
  for (const name of await disk.list(directoryOf(path))) {
    if (!name.startsWith(prefix)) continue;
    const parts = JOURNAL_NAME.exec(name.slice(prefix.length));
    if (parts === null) continue;
    const [, generation, salt, cipher, temporary] = parts;
    if (cipher !== undefined && keys === undefined) throw new StorageError("encrypted", NO_KEY);
    if (temporary !== undefined) await disk.unlink(`${directoryOf(path)}/${name}`);
    else {
      const numbers = [Number.parseInt(generation, 16), Number.parseInt(salt, 16)] as const;
      files.push(journalFile(path, ...numbers, cipher as CipherName | undefined, keys));
    }
  }
  return files.sort((a, b) => a.generation - b.generation);
}

async function readJournal(
  journal: JournalFile,
  disk: Disk,
  pacer: Pacer,
  damaged: (what: string) => void,
): Promise<OpenedJournal & { whole: boolean }> {
  const { name, salt } = journal;
  const file = await disk.open(name, false);
  const length = await file.size();
  const size = await findTail(file, salt, length, 0, pacer);
  if (size < length) await file.truncate(size);
  await file.sync();
  const records: Uint8Array[] = [];
  let seq = 0;
  let whole = true;
  const visitor: ScanVisitor = {
    record(record, { bytes }) {
      if (record.seq !== seq + 1) whole = false;
      seq = record.seq;
      records.push(bytes.slice(record.payloadStart, record.payloadEnd));
      return true;
    },
    damage() {
      damaged(`${name}: a record could not be read`);
      return true;
    },
  };
  await new Scanner(pacer).scan(file, salt, 0, size, true, visitor, journal.records);
  return { records, file, journal, size, seq, whole };
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
