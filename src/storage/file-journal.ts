import { messageOf } from "../protocol/message-of.ts";
import { EMPTY } from "../protocol/text.ts";
import type { Clock } from "../seams/clock.ts";
import { type Disk, DiskError, type DiskFile } from "../seams/disk.ts";
import { StorageError } from "./errors.ts";
import type { LogContext } from "./file-log.ts";
import { Pacer } from "./pacer.ts";
import { KIND_NOTE, padded, recordBytes, recordSize, seedAt, writeRecord } from "./records.ts";
import { findTail, Scanner } from "./scan.ts";
import type { Journal } from "./storage.ts";
import { unlinkIfThere } from "./unlink.ts";

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");

interface Waiter {
  resolve(): void;
  reject(error: StorageError): void;
}

/**
 * A journal in a file `<name>.<generation>-<salt>.journal`: note records whose sequences count up, and that begin anew with every compaction, in a
 * file of the next generation.
 */
export class FileJournal implements Journal {
  readonly found: readonly Uint8Array[];
  readonly #path: string;
  readonly #context: LogContext;
  #file: DiskFile;
  #name: string;
  #generation: number;
  #salt: number;
  /** What is in the file, and known to be whole. */
  #size: number;
  #seq: number;
  #pending: Uint8Array[] = [];
  #waiters: Waiter[] = [];
  #compaction: Uint8Array | undefined;
  #running: Promise<void> | undefined;
  #stopped: StorageError | undefined;

  private constructor(path: string, context: LogContext, opened: OpenedJournal) {
    this.#path = path;
    this.#context = context;
    this.found = opened.records;
    this.#file = opened.file;
    this.#name = opened.name;
    this.#generation = opened.generation;
    this.#salt = opened.salt;
    this.#size = opened.size;
    this.#seq = opened.seq;
  }

  /** Opens the journal with a path, to which its ending is added. @param damaged - hears of what could not be read. */
  static async open(
    path: string,
    context: LogContext,
    clock: Clock,
    damaged: (what: string) => void,
  ): Promise<FileJournal> {
    return new FileJournal(path, context, await openJournal(path, context, clock, damaged));
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
        if (compaction !== undefined) await this.#replace(compaction);
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
    const { bytes, seq } = this.#encode(pending, this.#salt, this.#size, this.#seq);
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

  async #replace(snapshot: Uint8Array): Promise<void> {
    const { disk } = this.#context;
    const generation = this.#generation + 1;
    const salt = newSalt(this.#context);
    const { bytes, seq } = this.#encode([snapshot], salt, 0, 0);
    const name = journalName(this.#path, generation, salt);
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
    const old = { file: this.#file, name: this.#name };
    this.#file = file;
    this.#name = name;
    this.#generation = generation;
    this.#salt = salt;
    this.#size = bytes.length;
    this.#seq = seq;
    await old.file.close();
    await unlinkIfThere(disk, old.name);
  }

  #encode(
    entries: readonly Uint8Array[],
    salt: number,
    position: number,
    seq: number,
  ): { bytes: Uint8Array; seq: number } {
    let size = 0;
    for (const entry of entries) size += recordSize(0, 0, entry.length);
    const room = recordBytes(padded(size));
    let at = 0;
    for (const entry of entries) {
      seq += 1;
      const head = { kind: KIND_NOTE, flags: 0, seq, micros: 0, gap: 0, durable: position / 8, ttl: 0 };
      at = writeRecord(room, at, seedAt(salt, position + at), head, "", EMPTY, entry);
    }
    return { bytes: room.bytes, seq };
  }
}

interface OpenedJournal {
  readonly records: Uint8Array[];
  readonly file: DiskFile;
  readonly name: string;
  readonly generation: number;
  readonly salt: number;
  readonly size: number;
  readonly seq: number;
}

function journalName(path: string, generation: number, salt: number): string {
  return `${path}.${hex(generation)}-${hex(salt)}.journal`;
}

function newSalt(context: LogContext): number {
  const bytes = new Uint8Array(4);
  context.random.fill(bytes);
  return new DataView(bytes.buffer).getUint32(0);
}

async function openJournal(
  path: string,
  context: LogContext,
  clock: Clock,
  damaged: (what: string) => void,
): Promise<OpenedJournal> {
  const { disk } = context;
  const files = await findJournals(disk, path);
  const newest = files[files.length - 1];
  if (newest === undefined) {
    const salt = newSalt(context);
    const name = journalName(path, 1, salt);
    const file = await disk.open(name, true);
    await disk.syncDirectory(directoryOf(path));
    return { records: [], file, name, generation: 1, salt, size: 0, seq: 0 };
  }
  // Whoever made or renamed it may have been killed before that would last.
  await disk.syncDirectory(directoryOf(path));
  const opened = await readJournal(newest, disk, new Pacer(clock), damaged);
  // What came before was replaced by this one; should this one have lost its first record, then it is kept for people to look at.
  if (opened.whole) for (const each of files.slice(0, -1)) await unlinkIfThere(disk, each.name);
  return opened;
}

interface JournalFile {
  readonly name: string;
  readonly generation: number;
  readonly salt: number;
}

async function findJournals(disk: Disk, path: string): Promise<JournalFile[]> {
  const prefix = `${path.slice(path.lastIndexOf("/") + 1)}.`;
  const files: JournalFile[] = [];
  for (const name of await disk.list(directoryOf(path))) {
    if (!name.startsWith(prefix)) continue;
    const parts = /^([0-9a-f]{8})-([0-9a-f]{8})\.journal(\.tmp)?$/.exec(name.slice(prefix.length));
    if (parts === null) continue;
    const full = `${directoryOf(path)}/${name}`;
    if (parts[3] !== undefined) await disk.unlink(full);
    else
      files.push({
        name: full,
        generation: Number.parseInt(parts[1], 16),
        salt: Number.parseInt(parts[2], 16),
      });
  }
  return files.sort((a, b) => a.generation - b.generation);
}

async function readJournal(
  { name, generation, salt }: JournalFile,
  disk: Disk,
  pacer: Pacer,
  damaged: (what: string) => void,
): Promise<OpenedJournal & { whole: boolean }> {
  const file = await disk.open(name, false);
  const length = await file.size();
  const size = await findTail(file, salt, length, 0, pacer);
  if (size < length) await file.truncate(size);
  await file.sync();
  const records: Uint8Array[] = [];
  let seq = 0;
  let whole = true;
  await new Scanner(pacer).scan(file, salt, 0, size, true, {
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
  });
  return { records, file, name, generation, salt, size, seq, whole };
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
