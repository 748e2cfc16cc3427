import { assert } from "../protocol/assert.ts";
import { messageOf } from "../protocol/message-of.ts";
import { EMPTY } from "../protocol/text.ts";
import { DiskError } from "../seams/disk.ts";
import type { Random } from "../seams/random.ts";
import type { Tasks } from "../seams/tasks.ts";
import type { Keys } from "./encryption.ts";
import { StorageError } from "./errors.ts";
import { encryptedSize, isSecret } from "./record-cipher.ts";
import { KIND_SEAL, type RecordHead, recordSize, seedAt, writeRecord } from "./records.ts";
import { SEGMENT_BYTES, Segment, type SegmentContext } from "./segment.ts";
import { unlinkIfThere } from "./unlink.ts";
import type { WindowCache } from "./window-cache.ts";

const MAX_GAP = 0xffff_ffff;

/** When so many bytes wait, a commit begins while there is still more to come. */
const BURST_BYTES = 64 * 1024;

/** What a log works with. */
export interface LogContext extends SegmentContext {
  readonly tasks: Tasks;
  readonly random: Random;
  readonly cache: WindowCache;
  /** A log in this directory is closed. */
  closed?(directory: string): void;
}

/** The store above a log: it is asked before, and told after, each commit. */
export interface LogOwner {
  /** A commit begins: what is still to be recorded is written now. Returns whether it is to be synced. */
  beginCommit(): boolean;
  /** What was written before the last {@link beginCommit} will last. */
  committed(): void;
  /** What was written since the last commit that did not fail is gone from the log. */
  undone(error: StorageError): void;
  /** The first record of a segment is due. */
  beginSegment(): void;
}

/** What a commit takes of a segment. */
interface CommitPart {
  readonly segment: Segment;
  readonly end: number;
  readonly sealed: boolean;
  readonly lastRecord: number;
}

/** What goes to disk together. */
interface Commit {
  readonly sync: boolean;
  readonly parts: readonly CommitPart[];
  /** Whether what goes on is a sync, after which a failure is the end. */
  syncing: boolean;
}

/** The segments of a stream: appending to the last one, and committing what was appended. */
export class FileLog {
  readonly directory: string;
  readonly context: LogContext;
  /** Of the stream, when what is written is to be encrypted. */
  readonly keys: Keys | undefined;
  /** In order; the last one takes records, unless it is sealed. */
  segments: Segment[] = [];
  /** The highest number that a segment was given. */
  generation = 0;
  /** Why it takes nothing more, for good. */
  stopped: StorageError | undefined;
  #owner: LogOwner | undefined;
  #running: Promise<void> | undefined;
  #wanted = false;
  /** Begins the commit that is asked for, until it has begun. */
  #begins: (() => void) | undefined;
  /** Set while a batch is written, which is not divided among segments. */
  #whole = false;

  constructor(directory: string, context: LogContext, keys: Keys | undefined) {
    this.directory = directory;
    this.context = context;
    this.keys = keys;
  }

  /** Says who is asked and told. */
  start(owner: LogOwner): void {
    this.#owner = owner;
  }

  /** The segment with a sequence. */
  segmentOf(seq: number): Segment {
    const { segments } = this;
    let low = 0;
    let high = segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (segments[middle].firstSeq <= seq) low = middle;
      else high = middle - 1;
    }
    assert(high >= 0, "there is a segment with a message that is there");
    return segments[low];
  }

  /** A segment with a number and a salt of its own, which has no file yet. */
  newSegment(firstSeq: number): Segment {
    const salt = new Uint8Array(4);
    this.context.random.fill(salt);
    this.generation += 1;
    const { context, directory, generation, keys } = this;
    const number = new DataView(salt.buffer).getUint32(0);
    return new Segment(
      context,
      directory,
      { firstSeq, generation, salt: number, cipher: keys?.cipher },
      keys,
    );
  }

  /** The segment that the next record of so many bytes goes to; `nextSeq` is the lowest sequence that it may have. */
  active(size: number, nextSeq: number): Segment {
    const last = this.segments[this.segments.length - 1];
    const limit = this.context.segmentBytes ?? SEGMENT_BYTES;
    const fits = last !== undefined && (last.size + size <= limit || last.size === 0 || this.#whole);
    if (fits && !last.sealed && this.isCurrent(last)) return last;
    this.roll(nextSeq);
    return this.segments[this.segments.length - 1];
  }

  /** Whether a segment is encrypted as it should be; else it takes no more records, and is written anew. */
  isCurrent({ cipher }: Segment): boolean {
    return cipher === this.keys?.cipher;
  }

  /** Begins another segment. */
  roll(nextSeq: number): void {
    const last = this.segments[this.segments.length - 1];
    if (last !== undefined && !last.sealed) {
      this.#writeTo(last, sealHead(nextSeq - 1), "", EMPTY, EMPTY);
      last.sealed = true;
    }
    this.segments.push(this.newSegment(nextSeq));
    this.#owner!.beginSegment();
  }

  /** Runs `action`, all records of which go to one segment. */
  inOneSegment(action: () => void): void {
    this.#whole = true;
    try {
      action();
    } finally {
      this.#whole = false;
    }
  }

  /** Appends a record, and returns where in its segment it begins. `durable` and `gap` are filled in. */
  write(
    head: RecordHead,
    subject: string,
    subjectBytes: number,
    headers: Uint8Array,
    payload: Uint8Array,
    nextSeq: number,
  ): number {
    const size =
      this.keys !== undefined && isSecret(head.kind)
        ? encryptedSize(subjectBytes, headers.length, payload.length)
        : recordSize(subjectBytes, headers.length, payload.length);
    return this.#writeTo(this.active(size, nextSeq), head, subject, headers, payload, size);
  }

  #writeTo(
    segment: Segment,
    head: RecordHead,
    subject: string,
    headers: Uint8Array,
    payload: Uint8Array,
    size: number = recordSize(0, headers.length, payload.length),
  ): number {
    const between = head.seq - segment.lastRecord - (subject === "" ? 0 : 1);
    assert(between >= 0, "records are written in order");
    head.gap = Math.min(between, MAX_GAP);
    head.durable = segment.durable / 8;
    const slab = segment.room(size, this.context.cache);
    const position = segment.size;
    const seed = seedAt(segment.salt, position);
    const { records } = segment;
    const end =
      records !== undefined && isSecret(head.kind)
        ? records.write(slab, slab.used, seed, head, subject, headers, payload)
        : writeRecord(slab, slab.used, seed, head, subject, headers, payload);
    assert(end - slab.used === size, "a record has the size that was foreseen");
    slab.used = end;
    segment.size += size;
    segment.lastRecord = head.seq;
    return position;
  }

  /** Asks for a commit, soon. */
  want(): void {
    if (this.#wanted || this.stopped !== undefined) return;
    this.#wanted = true;
    if (this.#running === undefined) {
      this.#running = new Promise((resolve) => {
        const begin = (): void => {
          if (this.#begins !== begin) return;
          this.#begins = undefined;
          void this.#commitAll().then(() => {
            this.#running = undefined;
            resolve();
            if (this.#wanted && this.stopped === undefined) {
              this.#wanted = false;
              this.want();
            }
          });
        };
        this.#begins = begin;
        this.context.tasks.soon(begin);
      });
    }
  }

  /** A record is about to be written: where much waits for a commit, that begins now, so that the disk works while the rest of a burst comes. */
  hasten(): void {
    if (this.#begins === undefined) return;
    const last = this.segments[this.segments.length - 1];
    if (last !== undefined && last.size - last.committed >= (this.context.burstBytes ?? BURST_BYTES))
      this.#begins();
  }

  /** Resolves when no commit goes on or is asked for. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /**
   * One commit after the other. The next one's bytes are on their way before anybody acts on what the last one has brought about: publishers
   * are answered while the disk works.
   */
  async #commitAll(): Promise<void> {
    while (this.#wanted && this.stopped === undefined) {
      this.#wanted = false;
      const commit = this.#begin();
      try {
        await this.#save(commit);
      } catch (error) {
        await this.#failed(error, commit.syncing);
        continue;
      }
      for (const { segment, end, lastRecord } of commit.parts) {
        segment.committed = end;
        segment.committedRecord = lastRecord;
      }
      this.#owner!.committed();
    }
  }

  #begin(): Commit {
    const sync = this.#owner!.beginCommit();
    const parts: CommitPart[] = [];
    for (const segment of this.segments) {
      if (segment.committed >= segment.size && !(sync && segment.unsynced)) continue;
      const { size: end, sealed, lastRecord } = segment;
      parts.push({ segment, end, sealed, lastRecord });
      // What is appended from here on is written to the file after the sync.
      if (sync) segment.durable = end;
    }
    return { sync, parts, syncing: false };
  }

  async #save(commit: Commit): Promise<void> {
    const { sync, parts } = commit;
    for (const { segment, end, sealed } of parts) {
      commit.syncing = false;
      await segment.write(end, this.context.cache, sync);
      if (!sync && !sealed && segment.created) continue;
      commit.syncing = true;
      if (segment.unsynced) await (await segment.file()).sync();
      if (!segment.created) await this.context.disk.syncDirectory(this.directory);
      segment.created = true;
      segment.unsynced = false;
      segment.synced = end;
      if (sealed) await segment.endWrites();
    }
  }

  async #failed(error: unknown, syncing: boolean): Promise<void> {
    const full = !syncing && error instanceof DiskError && error.kind === "full";
    let reason = full
      ? new StorageError("full", `no space for ${this.directory}: ${messageOf(error)}`)
      : this.#stoppedBy(error);
    try {
      // Before anybody is told: what was refused must not be back after a power cut.
      if (full) await this.#takeBack();
    } catch (problem) {
      reason = this.#stoppedBy(problem);
    }
    if (reason.code === "stopped") this.stopped = reason;
    const cut = this.#cut();
    this.#owner!.undone(reason);
    if (!full) for (const segment of cut) if (segment.committed === 0) await segment.close().catch(() => {});
  }

  #stoppedBy(error: unknown): StorageError {
    return new StorageError("stopped", `${this.directory} takes nothing more: ${messageOf(error)}`);
  }

  /**
   * Takes out of the files what was not committed; the last first, as what a file says of those before it must not outlive them.
   * @throws DiskError (rejects)
   */
  async #takeBack(): Promise<void> {
    const longer = this.segments.filter((segment) => segment.size > segment.committed).reverse();
    const begun = longer.filter(({ committed }) => committed === 0);
    for (const segment of begun) {
      this.context.cache.forget(segment);
      await segment.close();
      await unlinkIfThere(this.context.disk, segment.path);
    }
    // Files of segments that never were must not come back among those that will be.
    if (begun.length > 0) await this.context.disk.syncDirectory(this.directory);
    for (const segment of longer) if (segment.committed > 0) await segment.shorten();
  }

  /** Takes out of memory what was not committed; returns the segments that this has made shorter. */
  #cut(): Segment[] {
    const cut: Segment[] = [];
    for (const segment of this.segments) {
      segment.synced = Math.min(segment.synced, segment.committed);
      segment.durable = segment.synced;
      if (segment.size === segment.committed) continue;
      segment.cut(segment.committed);
      segment.lastRecord = segment.committedRecord;
      segment.sealed = false;
      cut.push(segment);
    }
    this.segments = this.segments.filter((each) => each.size > 0);
    return cut;
  }

  /** Takes a segment out, and its file away. */
  async drop(segment: Segment): Promise<void> {
    this.segments = this.segments.filter((each) => each !== segment);
    this.context.cache.forget(segment);
    segment.gone = true;
    await segment.close();
    await this.context.disk.unlink(segment.path);
  }

  /** Sees to it that files end where their records end. All is committed. @throws DiskError (rejects) */
  async endWrites(): Promise<void> {
    const last = this.segments[this.segments.length - 1];
    if (last !== undefined && !last.sealed) await last.endWrites();
  }

  /** Closes the files. */
  async close(): Promise<void> {
    for (const segment of this.segments) {
      this.context.cache.forget(segment);
      await segment.close().catch(() => {});
    }
    this.context.closed?.(this.directory);
  }
}

/** The head of the record that ends a segment. */
export function sealHead(through: number): RecordHead {
  return { kind: KIND_SEAL, flags: 0, seq: through, micros: 0, gap: 0, durable: 0, ttl: 0 };
}
