import { recordSize } from "./records.ts";
import type { Segment } from "./segment.ts";
import type { Note } from "./store.ts";

const PART = 1024;
const FIRST_BYTES = 64;
/** The first part has room for so many notes at first: most streams have none. */
const FIRST_ROOM = 16;
/** So many segments are listed before those are left out in which no note is any more. */
const MOST_SEGMENTS = 2 * PART;

/** Where a note is: a segment, and where in it the record begins. */
export interface NotePlace {
  readonly segment: Segment;
  readonly position: number;
}

/** Bytes kept beside the messages, and where they are. */
export interface KeptNote extends Note {
  readonly place: NotePlace;
}

/**
 * Some notes, in order, as columns of a table: there may be millions of them, and as objects they would take several times the room, and the garbage
 * collector would look at each.
 */
export class NotePart {
  #length = 0;
  #times: Float64Array;
  #positions: Float64Array;
  /** Where each note's bytes end; they begin where those of the note before end. */
  #ends: Uint32Array;
  /** Which of {@link #segments} each note is in. */
  #numbers: Uint16Array;
  /** Those that notes are in, or have been. */
  #segments: Segment[] = [];
  #bytes: Uint8Array;
  /** Where notes were before they were written once more, until that is on disk; by their numbers here. */
  readonly #former = new Map<number, NotePlace>();

  /** @param room, bytes - for how many notes, and how many bytes of them, there is room at first. */
  constructor(room: number, bytes: number) {
    this.#bytes = new Uint8Array(bytes);
    this.#times = new Float64Array(room);
    this.#positions = new Float64Array(room);
    this.#ends = new Uint32Array(room);
    this.#numbers = new Uint16Array(room);
  }

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** How many bytes they have. */
  get bytes(): number {
    return this.#startOf(this.#length);
  }

  /** Adds a note; its bytes are copied. */
  add({ time, bytes, place }: KeptNote): void {
    const at = this.bytes;
    const end = at + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, at);
    const i = this.#length;
    if (i === this.#times.length) this.#grow(i * 2);
    this.#length += 1;
    this.#times[i] = time;
    this.#ends[i] = end;
    this.#put(i, place);
  }

  #grow(room: number): void {
    const old = [this.#times, this.#positions, this.#ends, this.#numbers] as const;
    const grown = [
      (this.#times = new Float64Array(room)),
      (this.#positions = new Float64Array(room)),
      (this.#ends = new Uint32Array(room)),
      (this.#numbers = new Uint16Array(room)),
    ] as const;
    for (const [i, each] of grown.entries()) each.set(old[i]);
  }

  /** Whether all are from before `horizon`, ms since the epoch. */
  isBefore(horizon: number): boolean {
    // Nearly always the last is the newest.
    if (this.#times[this.length - 1] >= horizon) return false;
    return this.#times.subarray(0, this.length).every((time) => time < horizon);
  }

  /** Has notes in some segments that are not older than `horizon` written once more, by `write`. Returns whether there were any. */
  move(
    segments: ReadonlySet<Segment>,
    horizon: number,
    write: (bytes: Uint8Array, time: number) => NotePlace,
  ): boolean {
    for (let i = 0; i < this.length; i++) {
      if (this.#times[i] < horizon || !segments.has(this.#placeOf(i).segment)) continue;
      this.#former.set(i, this.#placeOf(i));
      this.#put(i, write(this.#bytesOf(i), this.#times[i]));
    }
    return this.#former.size > 0;
  }

  /** Notes that were written once more are on disk there. */
  settle(): void {
    this.#former.clear();
  }

  /** Forgets what has come to nothing: notes are where they were before, or nowhere. */
  undo(isThere: (place: NotePlace) => boolean): void {
    for (const [i, former] of this.#former) if (!isThere(this.#placeOf(i))) this.#put(i, former);
    this.#former.clear();
    const kept = [...this].filter(({ place }) => isThere(place));
    if (kept.length === this.length) return;
    this.#length = 0;
    this.#segments = [];
    this.#bytes = new Uint8Array(FIRST_BYTES);
    for (const note of kept) this.add(note);
  }

  *[Symbol.iterator](): Generator<KeptNote> {
    for (let i = 0; i < this.length; i++) {
      yield { time: this.#times[i], bytes: this.#bytesOf(i), place: this.#placeOf(i) };
    }
  }

  #startOf(i: number): number {
    return i === 0 ? 0 : this.#ends[i - 1];
  }

  #bytesOf(i: number): Uint8Array {
    return this.#bytes.subarray(this.#startOf(i), this.#ends[i]);
  }

  #placeOf(i: number): NotePlace {
    return { segment: this.#segments[this.#numbers[i]], position: this.#positions[i] };
  }

  #put(i: number, { segment, position }: NotePlace): void {
    let number = this.#segments.lastIndexOf(segment);
    if (number < 0) {
      if (this.#segments.length >= MOST_SEGMENTS) this.#sweep(i);
      number = this.#segments.push(segment) - 1;
    }
    this.#numbers[i] = number;
    this.#positions[i] = position;
  }

  /** Forgets the segments in which no note is any more; not that of note `i`, which gets another. */
  #sweep(i: number): void {
    const all = this.#segments;
    this.#segments = [];
    for (let each = 0; each < this.#length; each++) {
      if (each === i) continue;
      const segment = all[this.#numbers[each]];
      let number = this.#segments.lastIndexOf(segment);
      if (number < 0) number = this.#segments.push(segment) - 1;
      this.#numbers[each] = number;
    }
  }
}

/** The notes of a stream, in order, in parts: those that are too old go from the front a part at a time. */
export class NoteList {
  #parts: NotePart[] = [];

  constructor(notes: Iterable<KeptNote>) {
    for (const note of notes) this.add(note);
  }

  /** Adds a note; its bytes are copied. */
  add(note: KeptNote): void {
    let last = this.#parts[this.#parts.length - 1];
    if (last === undefined || last.length >= PART) {
      // Notes are mostly as long as those before them.
      last =
        last === undefined ? new NotePart(FIRST_ROOM, FIRST_BYTES) : new NotePart(PART, last.bytes + PART);
      this.#parts.push(last);
    }
    last.add(note);
  }

  /** Forgets notes from before `horizon`, ms since the epoch; some of them may stay. */
  expire(horizon: number): void {
    while (this.#parts.length > 0 && this.#parts[0].length >= PART && this.#parts[0].isBefore(horizon)) {
      this.#parts.shift();
    }
  }

  /** Forgets what has come to nothing: notes are where they were before, or nowhere. */
  undo(isThere: (place: NotePlace) => boolean): void {
    for (const part of this.#parts) part.undo(isThere);
    this.#parts = this.#parts.filter(({ length }) => length > 0);
  }

  /** A part at a time. */
  get parts(): readonly NotePart[] {
    return this.#parts;
  }

  *[Symbol.iterator](): Generator<KeptNote> {
    for (const part of this.#parts) yield* part;
  }
}

/** Counts a note among those of its segment. */
export function countNote(segment: Segment, bytes: Uint8Array, time: number): void {
  segment.noteBytes += recordSize(0, 0, bytes.length);
  segment.newestNote = Math.max(segment.newestNote, time);
}
