import { decodeText } from "../protocol/text.ts";
import type { FileLog } from "./file-log.ts";
import { FoundNotes } from "./found-notes.ts";
import type { NamedNote } from "./named-notes.ts";
import type { NoteList } from "./note-list.ts";
import type { Pacer } from "./pacer.ts";
import {
  decodeChange,
  FLAG_DECRYPTED,
  FLAG_ENCRYPTED,
  type FoundRecord,
  KIND_CHANGE,
  KIND_MESSAGE,
  KIND_NOTE,
  type RecordBytes,
} from "./records.ts";
import type { ScanVisitor } from "./scan.ts";
import type { Segment } from "./segment.ts";
import type { Maybe } from "./store.ts";
import type { StreamIndex } from "./stream-index.ts";

const MAX_GAP = 0xffff_ffff;
/** So many messages are dropped before the clock is looked at. */
const PIECE_DROPS = 256;

/** Does anew what the records of a stream say, and finds what is missing. */
export class Replay implements ScanVisitor {
  readonly #notes = new FoundNotes();
  /** Those with names: of each the last. */
  readonly #named = new Map<string, NamedNote>();
  readonly #stream: StreamIndex;
  readonly #log: FileLog;
  readonly #pacer: Pacer;
  #segment: Segment | undefined;
  /** Ranges of sequences that had records, as far as is known, which were not found. */
  #missing: [number, number][] = [];
  #damagedBytes = 0;
  /** Messages that cannot be decrypted, and so are not there: those that are not removed are lost. */
  readonly #unreadable: { readonly seq: number; readonly segment: Segment; readonly bytes: number }[] = [];

  constructor(stream: StreamIndex, log: FileLog, pacer: Pacer) {
    this.#pacer = pacer;
    this.#stream = stream;
    this.#log = log;
  }

  /** The records that follow are of this segment. */
  begin(segment: Segment): void {
    this.#segment = segment;
    segment.lastRecord = segment.firstSeq - 1;
  }

  record(record: FoundRecord, bytes: RecordBytes, position: number, sound: boolean): Maybe<boolean> {
    const segment = this.#segment!;
    const { seq, kind } = record;
    const before = seq - record.gap - (kind === KIND_MESSAGE ? 1 : 0);
    if (record.gap < MAX_GAP) this.expect(before);
    segment.lastRecord = Math.max(segment.lastRecord, seq);
    if (kind === KIND_CHANGE) return this.#change(record, bytes);
    if (kind === KIND_MESSAGE && !(sound && isReadable(record, segment))) this.#unread(record, segment);
    else if (kind === KIND_MESSAGE) this.#message(record, bytes, position, segment);
    else if (kind === KIND_NOTE) this.#note(record, bytes, position, segment);
    this.#stream.advance(seq);
    return true;
  }

  damage(from: number, to: number): boolean {
    this.#segment!.damaged = true;
    this.#damagedBytes += to - from;
    return true;
  }

  /** The segment has had records up to this sequence: those that were not found are missing. */
  expect(seq: number): void {
    const segment = this.#segment!;
    if (seq <= segment.lastRecord) return;
    segment.damaged = true;
    this.#missing.push([segment.lastRecord + 1, seq]);
    segment.lastRecord = seq;
    this.#stream.advance(seq);
  }

  #message(record: FoundRecord, { bytes }: RecordBytes, position: number, segment: Segment): void {
    const { seq } = record;
    const stream = this.#stream;
    // Found once already: it is in the segment that a merge has made of this one.
    if (seq <= stream.lastSeq) return;
    const id = stream.internBytes(bytes, record.subjectStart, record.subjectEnd);
    const headers = record.payloadStart - record.headersStart;
    const payload = record.payloadEnd - record.payloadStart;
    const size = 30 + record.subjectEnd - record.subjectStart + payload + (headers === 0 ? 0 : headers + 4);
    segment.total += size;
    segment.live += size;
    stream.add(seq, id, position / 8, size, record.micros / 1000, record.ttl);
  }

  /** A message that is there, but for its content: it may have been overwritten, after it was removed. */
  #unread({ seq, at, end }: FoundRecord, segment: Segment): void {
    if (seq <= this.#stream.lastSeq) return;
    this.#missing.push([seq, seq]);
    this.#unreadable.push({ seq, segment, bytes: end - at });
  }

  #note(record: FoundRecord, { bytes }: RecordBytes, position: number, segment: Segment): void {
    const noted = bytes.slice(record.payloadStart, record.payloadEnd);
    const place = { segment, position };
    const name = decodeText(bytes, record.headersStart, record.payloadStart);
    if (name !== "") {
      this.#named.set(name, { name, bytes: noted, place });
      return;
    }
    this.#notes.add({ time: record.micros / 1000, bytes: noted, place });
  }

  /** The notes, in order of their times. */
  notes(): Promise<NoteList> {
    return this.#notes.all(this.#pacer);
  }

  /** What is kept under names. */
  get named(): NamedNote[] {
    return [...this.#named.values()];
  }

  /** A few bytes may say that millions of messages are gone, so it is done in pieces. */
  #change(record: FoundRecord, bytes: RecordBytes): Maybe<boolean> {
    const pieces = this.#changes(record, bytes);
    while (pieces.next().done !== true) if (this.#pacer.due) return this.#goOn(pieces);
    return true;
  }

  async #goOn(pieces: Generator<void>): Promise<boolean> {
    do {
      if (this.#pacer.due) await this.#pacer.rest();
    } while (pieces.next().done !== true);
    return true;
  }

  *#changes(record: FoundRecord, { bytes }: RecordBytes): Generator<void> {
    const stream = this.#stream;
    const { seq: lastSeq, micros } = record;
    const ranges: [number, number][] = [];
    const floor = decodeChange(bytes, record.payloadStart, record.payloadEnd, (first, last) =>
      ranges.push([first, last]),
    );
    let steps = 0;
    for (const [first, last] of ranges) {
      for (let seq = stream.index.next(first); seq !== 0 && seq <= last; seq = stream.index.next(seq + 1)) {
        this.#drop(seq);
        if (++steps % PIECE_DROPS === 0) yield;
      }
      if (this.#missing.length > 0) this.#subtract(first, last);
      if (++steps % PIECE_DROPS === 0) yield;
    }
    if (floor > stream.lastSeq && stream.messages > 0) {
      for (const segment of this.#log.segments) segment.live = 0;
      stream.clear();
    }
    while (stream.messages > 0 && stream.firstSeq < floor) {
      this.#drop(stream.firstSeq);
      if (++steps % PIECE_DROPS === 0) yield;
    }
    if (this.#missing.length > 0) this.#subtract(1, floor - 1);
    if (micros > 0) stream.lastTime = micros / 1000;
    stream.advance(lastSeq);
  }

  #drop(seq: number): void {
    const { index } = this.#stream;
    index.locate(seq);
    this.#log.segmentOf(seq).live -= index.chunk.bytes[index.slot];
    this.#stream.drop(seq);
  }

  /** What is removed is not missing. */
  #subtract(first: number, last: number): void {
    const left: [number, number][] = [];
    for (const [from, to] of this.#missing) {
      if (from < first) left.push([from, Math.min(to, first - 1)]);
      if (to > last) left.push([Math.max(from, last + 1), to]);
    }
    this.#missing = left;
  }

  /** All records have come. */
  finish(): void {
    const stream = this.#stream;
    for (const { seq, segment, bytes } of this.#unreadable) {
      if (!this.#missing.some(([first, last]) => first <= seq && seq <= last)) continue;
      segment.damaged = true;
      this.#damagedBytes += bytes;
    }
    if (this.#damagedBytes === 0 && this.#missing.length === 0) return;
    stream.lost = { ranges: this.#missing, bytes: this.#damagedBytes };
  }
}

/** Whether a record's content is there to be read: in a file that is not encrypted nothing decrypts what says that it is. */
function isReadable({ flags }: FoundRecord, { records }: Segment): boolean {
  return (flags & FLAG_ENCRYPTED) === 0 && (records !== undefined || (flags & FLAG_DECRYPTED) === 0);
}
