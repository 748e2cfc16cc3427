import type { Segment } from "./segment.ts";
import type { Note } from "./store.ts";

const PART = 1024;
const FIRST_BYTES = 64;

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
  #times: number[] = [];
  #segments: Segment[] = [];
  #positions: number[] = [];
  /** Where each note's bytes end; they begin where those of the note before end. */
  #ends: number[] = [];
  #bytes = new Uint8Array(FIRST_BYTES);
  /** Where notes were before they were written once more, until that is on disk; by their numbers here. */
  readonly #former = new Map<number, NotePlace>();

  /** How many there are. */
  get length(): number {
    return this.#times.length;
  }

  /** Adds a note; its bytes are copied. */
  add({ time, bytes, place }: KeptNote): void {
    const at = this.#startOf(this.length);
    const end = at + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, at);
    this.#times.push(time);
    this.#segments.push(place.segment);
    this.#positions.push(place.position);
    this.#ends.push(end);
  }

  /** Whether all are from before `horizon`, ms since the epoch. */
  isBefore(horizon: number): boolean {
    // Nearly always the last is the newest.
    return this.#times[this.length - 1] < horizon && this.#times.every((time) => time < horizon);
  }

  /** Has notes in some segments that are not older than `horizon` written once more, by `write`. Returns whether there were any. */
  move(
    segments: ReadonlySet<Segment>,
    horizon: number,
    write: (bytes: Uint8Array, time: number) => NotePlace,
  ): boolean {
    for (let i = 0; i < this.length; i++) {
      if (!segments.has(this.#segments[i]) || this.#times[i] < horizon) continue;
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
    this.#times = [];
    this.#segments = [];
    this.#positions = [];
    this.#ends = [];
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
    return { segment: this.#segments[i], position: this.#positions[i] };
  }

  #put(i: number, { segment, position }: NotePlace): void {
    this.#segments[i] = segment;
    this.#positions[i] = position;
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
      last = new NotePart();
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
