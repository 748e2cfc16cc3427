import { EMPTY } from "../protocol/text.ts";
import type { DiskFile } from "../seams/disk.ts";
import type { FileLog } from "./file-log.ts";
import { sealHead } from "./file-log.ts";
import { Pacer } from "./pacer.ts";
import { encryptedSize } from "./record-cipher.ts";
import {
  copyRecord,
  decodeChange,
  encodeChange,
  encodeRanges,
  type FoundRecord,
  KIND_CHANGE,
  KIND_MERGE,
  KIND_MESSAGE,
  type RecordBytes,
  type RecordHead,
  recordBytes,
  recordSize,
  seedAt,
  writeRecord,
} from "./records.ts";
import { Scanner, type ScanVisitor } from "./scan.ts";
import { SEGMENT_BYTES, type Segment } from "./segment.ts";
import { SeqSet } from "./seq-set.ts";
import type { Maybe } from "./store.ts";
import type { RemovalWatcher, StreamIndex } from "./stream-index.ts";
import { writeWhole } from "./write-whole.ts";

const PIECE_BYTES = 1024 * 1024;
/** How many ranges of removed messages one change record has at most. */
const CHANGE_RANGES = 1024;
/** So many segments become one at most: their numbers must fit into what recovery reads of a segment's beginning. */
const MOST_SEGMENTS = 256;

/** What a merger asks of its store. */
export interface MergerOwner {
  /** How many removals are on disk. */
  durable(): number;
  /** Notes from before this time, in ms since the epoch, are of no use any more. */
  horizon(): number;
  /** Writes the notes in these segments, which are to go, once more. Resolves when that is on disk. */
  keepNotes(segments: ReadonlySet<Segment>): Promise<void>;
  /** Resolves when all that was done is on disk. */
  flush(): Promise<void>;
  /** A message that was removed while the merge went on has been written anew, at `place` (in units of 8 bytes). */
  moved(seq: number, segment: Segment, place: number): void;
}

/**
 * Gives space back: drops segments of which nothing is left, and writes those with little left anew, several as one. And writes anew those that are not
 * encrypted as they should be.
 */
export class Merger {
  readonly #stream: StreamIndex;
  readonly #log: FileLog;
  readonly #owner: MergerOwner;

  constructor(stream: StreamIndex, log: FileLog, owner: MergerOwner) {
    this.#stream = stream;
    this.#log = log;
    this.#owner = owner;
  }

  /** Whether nothing is left of a segment. Only the first goes at once: others say what was removed from those before them. */
  canDrop(segment: Segment): boolean {
    if (segment.live > 0 || !segment.sealed || !isWritten(segment)) return false;
    if (segment.emptiedAt > this.#owner.durable() || this.#isNotes(segment)) return false;
    const next = this.#log.segments[1];
    // A file must be left that says which sequences there have been: the last segment may have none yet.
    if (next === undefined || !next.created) return false;
    return !segment.damaged || next.firstSeq <= this.#stream.firstSeq;
  }

  /**
   * Whether a segment has notes for the most part, which are still needed: they would have to be written once more, to a segment that would then be
   * the next of this kind, and so on.
   */
  #isNotes({ noteBytes, size, newestNote }: Segment): boolean {
    return noteBytes * 2 > size && newestNote >= this.#owner.horizon();
  }

  /** Takes a segment away that nothing is left of. */
  async drop(segment: Segment): Promise<void> {
    await this.#owner.keepNotes(new Set([segment]));
    if (this.#log.stopped === undefined) await this.#log.drop(segment);
  }

  /** Segments side by side that are worth writing anew. */
  findRun(): Segment[] {
    const limit = (this.#log.context.segmentBytes ?? SEGMENT_BYTES) / 2;
    const { segments } = this.#log;
    let run: Segment[] = [];
    let live = 0;
    let worth = false;
    for (let i = 0; i < segments.length - 1; i++) {
      const segment = segments[i];
      const sparse = segment.live * 2 < segment.total;
      const fits = segment.sealed && isWritten(segment) && !segment.damaged && segment.live <= limit;
      if (
        fits &&
        run.length < MOST_SEGMENTS &&
        (sparse || segment.size * 4 < limit) &&
        live + segment.live <= limit &&
        !this.#isNotes(segment)
      ) {
        run.push(segment);
        live += segment.live;
        worth ||= sparse;
        continue;
      }
      if (worth) return run;
      run = [];
      live = 0;
    }
    return worth ? run : [];
  }

  /** A segment that is not encrypted as it should be, if there is one. The last one gets no more records, and makes way for another (`FileLog.active`). */
  findOutdated(): Segment | undefined {
    const { segments, keys } = this.#log;
    if (keys === undefined) return undefined;
    return segments.find(
      (each, i) =>
        !this.#log.isCurrent(each) &&
        i < segments.length - 1 &&
        each.sealed &&
        !each.damaged &&
        isWritten(each),
    );
  }

  /**
   * Writes segments anew, as one.
   * @param stopping - asked now and then until the new one takes their place: then all stays as it is.
   * @returns the files that the segments were, which are to go.
   */
  async merge(run: readonly Segment[], stopping: () => boolean): Promise<string[]> {
    const through = this.#log.segments[this.#log.segments.indexOf(run[run.length - 1]) + 1].firstSeq - 1;
    const merged = this.#log.newSegment(run[0].firstSeq);
    const copy = new Copy(this.#stream, this.#log, merged, run, stopping);
    const { watchers } = this.#stream;
    watchers.add(copy);
    let written = false;
    try {
      written = await writeWhole(this.#log.context.disk, merged.path, async (file) => {
        await copy.gather(file);
        if (copy.spoilt) return false;
        await copy.finish(through);
        await this.#owner.keepNotes(new Set(run));
        // What was left out must stay out: the removals are on disk before the messages are gone.
        await this.#owner.flush();
        watchers.delete(copy);
        return !copy.spoilt;
      });
    } finally {
      watchers.delete(copy);
    }
    if (!written) return [];
    await copy.swap((seq, place) => this.#owner.moved(seq, merged, place));
    for (const segment of run) {
      this.#log.context.cache.forget(segment);
      await segment.close();
    }
    return run.map(({ path }) => path);
  }
}

/** Whether all of a segment is in its file, and on disk. */
export function isWritten(segment: Segment): boolean {
  return (
    segment.slabs.length === 0 && segment.created && segment.committed === segment.size && !segment.unsynced
  );
}

interface Piece extends RecordBytes {
  readonly position: number;
  used: number;
}

/** What a merge makes of its segments. */
class Copy implements ScanVisitor, RemovalWatcher {
  /** What is not written yet: the last one is being filled. */
  readonly #pieces: Piece[] = [];
  #file: DiskFile | undefined;
  /** Whether something could not be read, was left out that is to stay, or the end has come: then all stays as it is. */
  spoilt = false;
  readonly #stream: StreamIndex;
  readonly #log: FileLog;
  readonly #merged: Segment;
  readonly #run: readonly Segment[];
  readonly #stopping: () => boolean;
  readonly #pacer: Pacer;
  #source: Segment;
  #removed = new SeqSet();
  readonly #floor: number;
  readonly #seqs: number[] = [];
  readonly #to: number[] = [];

  constructor(
    stream: StreamIndex,
    log: FileLog,
    merged: Segment,
    run: readonly Segment[],
    stopping: () => boolean,
  ) {
    this.#stream = stream;
    this.#log = log;
    this.#merged = merged;
    this.#run = run;
    this.#stopping = stopping;
    this.#source = run[0];
    this.#floor = stream.firstSeq;
    this.#pacer = new Pacer(stream.clock);
  }

  /** Reads the segments: first what they say was removed from others, then the messages. Writes to `file` what becomes of them. */
  async gather(file: DiskFile): Promise<void> {
    this.#file = file;
    const scanner = new Scanner(this.#pacer);
    for (const changes of [true, false]) {
      for (const segment of this.#run) {
        this.#source = segment;
        const visitor: ScanVisitor = changes
          ? { record: (record, bytes) => this.#change(record, bytes), damage: () => this.damage() }
          : this;
        const opener = changes ? undefined : segment.records;
        const reader = await segment.reader();
        await scanner.scan(reader, segment.salt, 0, segment.size, !changes, visitor, opener);
        if (this.spoilt) return;
      }
      if (changes) await this.#writeRemoved();
    }
  }

  #change(record: FoundRecord, { bytes }: RecordBytes): boolean {
    if (record.kind !== KIND_CHANGE) return true;
    const { firstSeq } = this.#run[0];
    decodeChange(bytes, record.payloadStart, record.payloadEnd, (first, last) =>
      this.#removed.add(Math.max(first, this.#floor), Math.min(last, firstSeq - 1)),
    );
    return true;
  }

  /** Says first which segments this one replaces, and its order, and then what they say of messages in others. */
  async #writeRemoved(): Promise<void> {
    const order = Math.min(...this.#run.map((each) => each.order));
    this.#merged.order = order;
    const replaced = encodeChange(0, [order, ...this.#run.map(({ generation }) => generation)]);
    this.#write(plainHead(KIND_MERGE, this.#merged.firstSeq - 1), replaced);
    let ranges: number[] = [];
    for (const range of this.#removed.ranges()) {
      ranges.push(...range);
      if (ranges.length < CHANGE_RANGES * 2) continue;
      this.#writeRanges(ranges);
      ranges = [];
      if (this.#pacer.due) await this.#pacer.rest();
    }
    this.#writeRanges(ranges);
    this.#removed = new SeqSet();
  }

  #writeRanges(ranges: readonly number[]): void {
    this.#write(plainHead(KIND_CHANGE, this.#merged.firstSeq - 1), encodeRanges(this.#floor, ranges));
  }

  /** Ends it with a record that says how far it goes, and writes what is not written. */
  async finish(through: number): Promise<void> {
    const head = sealHead(through);
    head.gap = Math.min(through - this.#merged.lastRecord, 0xffff_ffff);
    this.#write(head, EMPTY);
    await this.#save(0);
    this.#merged.lastRecord = this.#merged.committedRecord = through;
    this.#merged.committed = this.#merged.size;
    this.#merged.sealed = true;
    this.#merged.created = true;
  }

  #write(head: RecordHead, payload: Uint8Array): void {
    const merged = this.#merged;
    const piece = this.#room(recordSize(0, 0, payload.length));
    const seed = seedAt(merged.salt, merged.size);
    const end = writeRecord(piece, piece.used, seed, head, "", EMPTY, payload);
    merged.size += end - piece.used;
    piece.used = end;
  }

  #room(size: number): Piece {
    const last = this.#pieces[this.#pieces.length - 1];
    if (last !== undefined && last.used + size <= last.bytes.length) return last;
    const piece = { ...recordBytes(Math.max(PIECE_BYTES, size)), position: this.#merged.size, used: 0 };
    this.#pieces.push(piece);
    return piece;
  }

  /** Writes all but the last so many pieces. @returns true */
  async #save(kept: number): Promise<boolean> {
    const pieces = this.#pieces.splice(0, this.#pieces.length - kept);
    for (const { bytes, used, position } of pieces)
      await this.#file!.write(bytes.subarray(0, used), position);
    return true;
  }

  record(record: FoundRecord, bytes: RecordBytes, position: number, sound: boolean): Maybe<boolean> {
    if (this.#stopping()) {
      this.spoilt = true;
      return false;
    }
    if (record.kind !== KIND_MESSAGE) return true;
    const { index } = this.#stream;
    const { seq } = record;
    if (!index.locate(seq) || index.chunk.place[index.slot] * 8 !== position) return true;
    if (this.#log.segmentOf(seq) !== this.#source) return true;
    if (!sound) return this.damage();
    const merged = this.#merged;
    const piece = this.#room(sizeIn(merged, record));
    const gap = Math.min(seq - merged.lastRecord - 1, 0xffff_ffff);
    const seed = seedAt(merged.salt, merged.size);
    this.#seqs.push(seq);
    this.#to.push(merged.size / 8);
    const { records } = merged;
    const end =
      records === undefined
        ? copyRecord(bytes, record, piece, piece.used, seed, gap)
        : records.copy(bytes, record, piece, piece.used, seed, gap);
    merged.size += end - piece.used;
    piece.used = end;
    merged.lastRecord = seq;
    return this.#pieces.length > 1 ? this.#save(1) : true;
  }

  removed(): void {}

  cleared(): void {}

  /** A message is back, as what it made room for was refused: it may have been left out. */
  restored(): void {
    this.spoilt = true;
  }

  damage(): boolean {
    this.#source.damaged = true;
    this.spoilt = true;
    return false;
  }

  /** Puts the new segment in the place of the others, a few messages at a time: what is below a segment's first sequence has moved. */
  async swap(gone: (seq: number, place: number) => void): Promise<void> {
    const log = this.#log;
    const { index } = this.#stream;
    const merged = this.#merged;
    log.segments.splice(log.segments.indexOf(this.#run[0]), 0, merged);
    for (let i = 0; i < this.#seqs.length; i++) {
      const seq = this.#seqs[i];
      if ((i & 255) === 255 && this.#pacer.due) await this.#pacer.rest();
      this.#moveBoundary(seq);
      if (!index.locate(seq)) {
        gone(seq, this.#to[i]);
        continue;
      }
      const bytes = index.chunk.bytes[index.slot];
      index.chunk.place[index.slot] = this.#to[i];
      merged.total += bytes;
      merged.live += bytes;
    }
    log.segments = log.segments.filter((each) => !this.#run.includes(each));
    merged.emptiedAt = Math.max(...this.#run.map((each) => each.emptiedAt));
  }

  /** All up to and including `seq` is in the new segment. */
  #moveBoundary(seq: number): void {
    for (const segment of this.#run) if (segment.firstSeq <= seq) segment.firstSeq = seq + 1;
  }
}

/** The bytes that a record will take in another segment. */
function sizeIn({ records }: Segment, record: FoundRecord): number {
  if (records === undefined) return record.end - record.at;
  const { subjectStart, subjectEnd, headersStart, payloadStart, payloadEnd } = record;
  return encryptedSize(subjectEnd - subjectStart, payloadStart - headersStart, payloadEnd - payloadStart);
}

function plainHead(kind: number, seq: number): RecordHead {
  return { kind, flags: 0, seq, micros: 0, gap: 0, durable: 0, ttl: 0 };
}
