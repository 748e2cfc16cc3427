import { assert } from "../protocol/assert.ts";
import type { CipherName } from "../seams/ciphers.ts";
import { type Disk, DiskError, type DiskFile, type FileSizes, type ReadFile } from "../seams/disk.ts";
import { CompressedFile } from "./compressed-file.ts";
import type { FileCipher, Keys } from "./encryption.ts";
import { RecordCipher } from "./record-cipher.ts";
import type { RecordBytes } from "./records.ts";
import { RoomAhead } from "./room-ahead.ts";
import type { Window, WindowCache } from "./window-cache.ts";

/** A segment takes no more records beyond this many bytes, so a file may be this large and one record larger. */
export const SEGMENT_BYTES = 32 * 1024 * 1024;
/** What is appended is gathered in arrays of this size. */
const SLAB_BYTES = 256 * 1024;
const FIRST_SLAB_BYTES = 8 * 1024;

/** Records that are new, in memory: `bytes[0, used)` stand in the file from `position` on, and `bytes[0, written)` have been written. */
export interface Slab extends RecordBytes {
  readonly position: number;
  used: number;
  written: number;
  /** Whether somebody may have kept a part of it, see {@link Window.lent}. */
  lent: boolean;
}

/** What a segment's file is called by. */
export interface SegmentName {
  readonly firstSeq: number;
  readonly generation: number;
  readonly salt: number;
  /** How its records are encrypted; undefined when they are not. */
  readonly cipher: CipherName | undefined;
}

/**
 * How a segment's file is called but for its kind: `<first sequence>-<generation>-<salt>`, 16 decimal digits and twice 8 hexadecimal ones, and
 * `.<cipher>` if it is encrypted.
 */
function nameOf({ firstSeq, generation, salt, cipher }: SegmentName): string {
  const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");
  const name = `${String(firstSeq).padStart(16, "0")}-${hex(generation)}-${hex(salt)}`;
  return cipher === undefined ? name : `${name}.${cipher}`;
}

/** What a segment works with. */
export interface SegmentContext extends FileSizes {
  readonly disk: Disk;
}

/** A file of records, in order of their sequences. */
export class Segment {
  /** The first sequence that may be in it. While a merge goes on, what is below has moved to another. */
  firstSeq: number;
  readonly generation: number;
  readonly salt: number;
  /** Where it comes among those without messages, which have the same first sequence: the generation of the first that it was made of, or its own. */
  order: number;
  readonly cipher: CipherName | undefined;
  /** Encrypts and decrypts its records; undefined when they are not encrypted. */
  readonly records: RecordCipher | undefined;
  /** The same for the blocks that it has when it is compressed. */
  readonly blocks: FileCipher | undefined;
  /** Where it is as it was written, and compressed. */
  readonly logPath: string;
  readonly compressedPath: string;
  /** Whether its file is the compressed one, which is only read. */
  compressed = false;
  /** Bytes in the file and in {@link slabs}: where the next record goes. */
  size = 0;
  /** Bytes that a commit has covered: those above are undone when it fails. */
  committed = 0;
  /** Bytes that are known to be on disk; and those that will be before anything is written that is appended now. */
  synced = 0;
  durable = 0;
  /** Whether bytes were written that no sync has covered. */
  unsynced = false;
  /** The sequence of the last record, or the one before {@link firstSeq}. */
  lastRecord: number;
  /** The same, of those that a commit has covered. */
  committedRecord: number;
  /** How many removals there had been when its last message went. */
  emptiedAt = 0;
  /** Bytes of the notes that were put in, and the time of the newest of them, in ms since the epoch. */
  noteBytes = 0;
  newestNote = 0;
  /** Whether the file has its place in the directory for good. */
  created = false;
  /** Whether its file goes: it is not opened again. */
  gone = false;
  /** Whether it gets no more records. */
  sealed = false;
  /** Whether something in it could not be read: then it is kept as it is. */
  damaged = false;
  /** Bytes (as they are accounted) of the messages that were ever put in, and of those that are there. */
  total = 0;
  live = 0;
  /** What is new; the last one is being filled. Empty when all is in the file. */
  slabs: Slab[] = [];
  /** Parts of the file in memory. */
  readonly windows: Window[] = [];
  #file: Promise<DiskFile> | undefined;
  /** The same, once it is open: then writing begins at once. */
  #ready: DiskFile | undefined;
  #unpacked: Promise<CompressedFile> | undefined;
  /** Calls of {@link read} that go on. */
  readonly #reads = new Set<Promise<number>>();
  readonly #disk: Disk;
  readonly #room: RoomAhead;

  /** @param keys - of the stream; undefined for a segment that is not encrypted. */
  constructor(context: SegmentContext, directory: string, name: SegmentName, keys: Keys | undefined) {
    const { firstSeq, generation, salt, cipher } = name;
    this.#disk = context.disk;
    this.#room = new RoomAhead(context.roomBytes);
    this.firstSeq = firstSeq;
    this.lastRecord = this.committedRecord = firstSeq - 1;
    this.generation = this.order = generation;
    this.salt = salt;
    this.cipher = cipher;
    const file = nameOf(name);
    this.logPath = `${directory}/${file}.log`;
    this.compressedPath = `${directory}/${file}.s2`;
    if (cipher === undefined) return;
    assert(keys !== undefined, "what is encrypted has keys");
    this.records = new RecordCipher(keys.file(cipher, `${file}.log`), () => this.compressed);
    this.blocks = keys.file(cipher, `${file}.s2`);
  }

  /** Where its file is. */
  get path(): string {
    return this.compressed ? this.compressedPath : this.logPath;
  }

  /** The open file, to be written to. Rejects once the segment is given up. */
  file(): Promise<DiskFile> {
    assert(!this.compressed, "a compressed file is not written to");
    return this.#open();
  }

  /** The open file, as the bytes that were written to it. Rejects once the segment is given up. */
  reader(): Promise<ReadFile> {
    return this.compressed ? this.unpacked() : this.#open();
  }

  /** The compressed file. */
  unpacked(): Promise<CompressedFile> {
    assert(this.compressed, "the file is compressed");
    if (this.#unpacked === undefined) {
      const opening = this.#open().then((file) => CompressedFile.open(file, this.salt, this.blocks));
      this.#unpacked = opening;
      opening.catch(() => {
        if (this.#unpacked === opening) this.#unpacked = undefined;
      });
    }
    return this.#unpacked;
  }

  /** Fills `into` from `position` on, as a file does, whatever file takes the place of the one there is meanwhile. */
  async read(into: Uint8Array, position: number): Promise<number> {
    const reading = this.reader().then((file) => file.read(into, position));
    this.#reads.add(reading);
    try {
      return await reading;
    } finally {
      this.#reads.delete(reading);
    }
  }

  /** A compressed file with the same bytes is in the place of the one there was, which is not read any more when this resolves, and stays open. */
  async replaced(): Promise<void> {
    this.compressed = true;
    this.#file = this.#ready = this.#unpacked = undefined;
    await Promise.allSettled(this.#reads);
  }

  #open(): Promise<DiskFile> {
    if (this.gone) return Promise.reject(new DiskError("missing", `${this.path} is given up`));
    if (this.#file === undefined) {
      const opening = this.#disk.open(this.path, !this.created);
      this.#file = opening;
      opening.then(
        (file) => {
          if (this.#file === opening) this.#ready = file;
        },
        () => {
          if (this.#file === opening) this.#file = undefined;
        },
      );
    }
    return this.#file;
  }

  /** Room for `size` bytes at the end; the caller fills them and says so in `used`. */
  room(size: number, cache: WindowCache): Slab {
    const last = this.slabs[this.slabs.length - 1];
    if (last !== undefined && last.used + size <= last.bytes.length) return last;
    const usual = last === undefined && this.size === 0 ? FIRST_SLAB_BYTES : SLAB_BYTES;
    const room = cache.zeros(Math.max(usual, size));
    const slab: Slab = { ...room, position: this.size, used: 0, written: 0, lent: false };
    this.slabs.push(slab);
    return slab;
  }

  /**
   * Writes what is new, up to `end`.
   * @param sync - whether that, and all before it, is to be on disk.
   */
  async write(end: number, cache: WindowCache, sync: boolean): Promise<void> {
    const file = this.#ready ?? (await this.file());
    const fresh = this.slabs.filter((slab) => Math.min(slab.used, end - slab.position) > slab.written);
    const parts = fresh.map((slab) =>
      slab.bytes.subarray(slab.written, Math.min(slab.used, end - slab.position)),
    );
    const room = this.#room.before(end);
    if (room !== undefined) await room;
    if (sync && !this.unsynced && fresh.length > 0) {
      const from = fresh[0].position + fresh[0].written;
      await file.writeSynced(parts, from);
      if (!this.sealed) this.#room.after(file, end, end - from);
    } else {
      for (const [i, part] of parts.entries()) {
        this.unsynced = true;
        await file.write(part, fresh[i].position + fresh[i].written);
      }
    }
    fresh.forEach((slab, i) => {
      slab.written += parts[i].length;
    });
    this.#retire(cache);
  }

  /** All of it is on disk, and nothing more is written for now: the file ends where its records end. @throws DiskError (rejects) */
  async endWrites(): Promise<void> {
    const file = await this.file();
    await this.#room.trim(file, this.size);
    await file.endSyncedWrites();
  }

  /** Cuts the file to what is committed, and sees to it that this lasts. @throws DiskError (rejects) */
  async shorten(): Promise<void> {
    const file = await this.file();
    await this.#room.settled();
    await file.truncate(this.committed);
    this.#room.forget();
    await file.sync();
    this.unsynced = false;
  }

  /** Gives slabs that are full and written to the cache. */
  #retire(cache: WindowCache): void {
    while (this.slabs.length > 0) {
      const [slab] = this.slabs;
      if (slab.written < slab.used || (this.slabs.length === 1 && !this.sealed)) return;
      this.slabs.shift();
      cache.add({
        segment: this,
        bytes: slab.bytes,
        words: slab.words,
        position: slab.position,
        used: slab.used,
        sound: true,
        lent: slab.lent,
      });
    }
  }

  /** Forgets what comes after `size`, which is in memory only or has failed to be written. */
  cut(size: number): void {
    assert(size <= this.size, "a segment is cut within its bytes");
    this.size = size;
    const kept: Slab[] = [];
    for (const slab of this.slabs) {
      if (slab.position >= size) continue;
      const used = Math.min(slab.used, size - slab.position);
      // What was read may still point into the array, so the rest of it is not used again.
      kept.push({
        bytes: slab.bytes.subarray(0, used),
        words: slab.words.subarray(0, used / 4),
        position: slab.position,
        used,
        written: used,
        lent: true,
      });
    }
    this.slabs = kept;
  }

  /** Closes the file. */
  async close(): Promise<void> {
    const opening = this.#file;
    this.#file = this.#ready = this.#unpacked = undefined;
    await this.#room.settled();
    if (opening !== undefined) await opening.then((file) => file.close());
  }
}
