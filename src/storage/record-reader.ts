import type { FileLog } from "./file-log.ts";
import { FoundRecord, type RecordBytes, seedAt } from "./records.ts";
import type { Segment } from "./segment.ts";
import type { Maybe, StoredMessage } from "./store.ts";
import type { StreamIndex } from "./stream-index.ts";
import type { Window } from "./window-cache.ts";

/** How much is read for one message, in bytes, when nothing says that those after it are wanted. */
const SINGLE_BYTES = 16 * 1024;
/** How much is read at a time for a reader that goes in order. */
const AHEAD_BYTES = 512 * 1024;
/** How much, for one that goes forward and leaves out less than that. */
const FORWARD_BYTES = 256 * 1024;
/** What is fetched ahead begins so much before the end of what is there, so that most records lie whole in one or the other. */
const OVERLAP_BYTES = 16 * 1024;

/** Reads messages from the segments, and checks them. */
export class RecordReader {
  readonly #stream: StreamIndex;
  readonly #log: FileLog;
  readonly #lost: (seq: number) => void;
  readonly #found = new FoundRecord();
  readonly #loading: { segment: Segment; position: number; end: number; loaded: Promise<Window> }[] = [];
  /** What the last window was that was read in order, as far as it goes. */
  #aheadOf: Window | undefined;
  #lastSegment: Segment | undefined;
  #lastEnd = 0;

  /** @param lost - hears of each message that turns out to be damaged. */
  constructor(stream: StreamIndex, log: FileLog, lost: (seq: number) => void) {
    this.#stream = stream;
    this.#log = log;
    this.#lost = lost;
  }

  /** See `StreamStore.get`, and with `borrows` `StreamStore.borrow`. */
  get(seq: number, borrows: boolean): Maybe<StoredMessage | undefined> {
    const { index } = this.#stream;
    if (!index.locate(seq)) return undefined;
    const segment = this.#log.segmentOf(seq);
    const position = index.chunk.place[index.slot] * 8;
    const { slabs } = segment;
    for (let i = slabs.length - 1; i >= 0; i--) {
      const slab = slabs[i];
      if (position < slab.position) continue;
      if (!borrows) slab.lent = true;
      return this.#read(seq, slab, slab.used, position - slab.position, segment, true)!;
    }
    const window = this.#log.context.cache.find(segment, position);
    if (window === undefined) return this.#load(seq, SINGLE_BYTES, borrows);
    const at = position - window.position;
    this.#fetchAfter(window, at);
    const message = this.#read(seq, window, window.used, at, segment, window.sound);
    if (!borrows) window.lent = true;
    if (message !== null) return message;
    return this.#load(seq, this.#neededFor(at, window.used), borrows);
  }

  /** How much must be read for a record that begins before, and ends after, what was there. */
  #neededFor(at: number, used: number): number {
    const size = this.#found.at === at && this.#found.end > used ? this.#found.end - at : 0;
    return Math.max(size, SINGLE_BYTES);
  }

  /** The message at `at`; undefined when it is damaged, null when it does not lie whole in `used` bytes. */
  #read(
    seq: number,
    from: RecordBytes,
    used: number,
    at: number,
    segment: Segment,
    sound: boolean,
  ): StoredMessage | undefined | null {
    const found = this.#found;
    found.at = -1;
    const { index, subjectTable, expiry } = this.#stream;
    const { chunk, slot } = index;
    const position = chunk.place[slot] * 8;
    const seed = seedAt(segment.salt, position);
    const result = found.read(from, used, at, seed);
    if (result === "short" && !this.#reachesEnd(segment, position + used - at)) return null;
    if (result === "read" && found.end > used && !this.#reachesEnd(segment, position + used - at))
      return null;
    if (result !== "read" || found.seq !== seq || found.end > used || !(sound || found.bodyIsSound(from))) {
      this.#lose(seq, segment);
      return undefined;
    }
    let { bytes } = from;
    let { headersStart } = found;
    if (segment.records !== undefined) {
      const content = segment.records.open(from, found, seed);
      if (content === undefined) {
        this.#lose(seq, segment);
        return undefined;
      }
      bytes = content;
      headersStart = found.subjectEnd - found.subjectStart;
    }
    this.#lastSegment = segment;
    this.#lastEnd = position + found.end - found.at;
    const payloadStart = headersStart + found.payloadStart - found.headersStart;
    return {
      seq,
      subject: subjectTable.text(chunk.subject[slot]),
      headers: headersStart === payloadStart ? undefined : bytes.subarray(headersStart, payloadStart),
      payload: bytes.subarray(payloadStart, payloadStart + found.payloadEnd - found.payloadStart),
      time: chunk.time[slot],
      ttl: expiry.ttlOf(seq),
    };
  }

  #reachesEnd(segment: Segment, position: number): boolean {
    return position >= segment.size;
  }

  #lose(seq: number, segment: Segment): void {
    const { index } = this.#stream;
    const bytes = index.chunk.bytes[index.slot];
    segment.damaged = true;
    segment.live -= bytes;
    this.#stream.lose(seq, seq, bytes);
    this.#stream.drop(seq);
    this.#lost(seq);
  }

  async #load(seq: number, size: number, borrows: boolean): Promise<StoredMessage | undefined> {
    const { index } = this.#stream;
    for (;;) {
      if (!index.locate(seq)) return undefined;
      const segment = this.#log.segmentOf(seq);
      const position = index.chunk.place[index.slot] * 8;
      const wanted = Math.max(size, this.#wanted(segment, position));
      const end = Math.min(position + size, this.#fileEnd(segment));
      let window: Window;
      try {
        window = await this.#fetch(segment, position, wanted, size);
      } catch (error) {
        if (this.#log.segments.includes(segment) && index.locate(seq)) throw error;
        continue;
      }
      // The message may have gone or moved meanwhile.
      if (!index.locate(seq)) return undefined;
      if (this.#log.segmentOf(seq) !== segment || index.chunk.place[index.slot] * 8 !== position) continue;
      const at = position - window.position;
      const message = this.#read(seq, window, window.used, at, segment, window.sound);
      if (!borrows) window.lent = true;
      if (message !== null) return message;
      if (window.position + window.used < end) {
        // Somebody has cut the file: however much is asked for, there is no more.
        this.#lose(seq, segment);
        return undefined;
      }
      size = Math.max(size * 2, this.#neededFor(at, window.used));
    }
  }

  /** How much to read: more for a reader that will most likely read on. */
  #wanted(segment: Segment, position: number): number {
    const distance = segment === this.#lastSegment ? position - this.#lastEnd : -1;
    if (distance === 0) return AHEAD_BYTES;
    return distance > 0 && distance < FORWARD_BYTES ? FORWARD_BYTES : SINGLE_BYTES;
  }

  /** Where what is in the file ends: what comes after it is in the slabs. */
  #fileEnd(segment: Segment): number {
    return segment.slabs.length > 0 ? segment.slabs[0].position : segment.size;
  }

  /** Whoever leaves messages out is soon through with a window, so two are fetched ahead at once. */
  #fetchAfter(window: Window, at: number): void {
    if (this.#aheadOf === window || window.sound || window.used < FORWARD_BYTES) return;
    const sparse = window.used < AHEAD_BYTES;
    if (!sparse && at < window.used / 2) return;
    this.#aheadOf = window;
    const { segment, used } = window;
    const { cache } = this.#log.context;
    let position = window.position;
    for (let left = sparse ? 2 : 1; left > 0; left--) {
      position += used - OVERLAP_BYTES;
      if (position + OVERLAP_BYTES >= this.#fileEnd(segment)) return;
      if (!cache.has(segment, position + OVERLAP_BYTES))
        void this.#fetch(segment, position, used).catch(() => {});
    }
  }

  /** Reads a part of a segment, unless that is being done, as far as `least` bytes go. */
  #fetch(segment: Segment, position: number, size: number, least = size): Promise<Window> {
    const fileEnd = this.#fileEnd(segment);
    const end = Math.min(position + size, fileEnd);
    const needed = Math.min(position + least, fileEnd);
    for (const each of this.#loading) {
      if (each.segment === segment && each.position <= position && each.end >= needed) return each.loaded;
    }
    const loaded = this.#log.context.cache.load(segment, position, end - position, size >= FORWARD_BYTES);
    const entry = { segment, position, end, loaded };
    this.#loading.push(entry);
    const done = (): void => void this.#loading.splice(this.#loading.indexOf(entry), 1);
    loaded.then(done, done);
    return loaded;
  }
}
