import type { Segment } from "./segment.ts";
import type { Note } from "./store.ts";

const PART = 1024;

/** Where a note is: a segment, and where in it the record begins. */
export interface NotePlace {
  readonly segment: Segment;
  readonly position: number;
}

/** Bytes kept beside the messages, and where they are. */
export interface KeptNote extends Note {
  place: NotePlace;
  /** Where they were before they were written once more, until that is on disk. */
  former?: NotePlace;
}

/** The notes of a stream, in order, in parts: those that are too old go from the front a part at a time. */
export class NoteList {
  #parts: KeptNote[][] = [];

  constructor(notes: readonly KeptNote[]) {
    for (let at = 0; at < notes.length; at += PART) this.#parts.push(notes.slice(at, at + PART));
  }

  /** Adds a note. */
  add(note: KeptNote): void {
    const last = this.#parts[this.#parts.length - 1];
    if (last !== undefined && last.length < PART) last.push(note);
    else this.#parts.push([note]);
  }

  /** Forgets notes from before `horizon`, ms since the epoch; some of them may stay. */
  expire(horizon: number): void {
    for (let part = this.#parts[0]; part !== undefined; part = this.#parts[0]) {
      // Nearly always the last is the newest.
      if (part.length < PART || part[PART - 1].time >= horizon) return;
      if (part.some((each) => each.time >= horizon)) return;
      this.#parts.shift();
    }
  }

  /** Forgets what has come to nothing: notes are where they were before, or nowhere. */
  undo(isThere: (place: NotePlace) => boolean): void {
    for (const note of this) {
      if (note.former !== undefined && !isThere(note.place)) note.place = note.former;
      note.former = undefined;
    }
    this.#parts = this.#parts
      .map((part) => part.filter(({ place }) => isThere(place)))
      .filter((part) => part.length > 0);
  }

  /** A part at a time. */
  get parts(): readonly (readonly KeptNote[])[] {
    return this.#parts;
  }

  *[Symbol.iterator](): Generator<KeptNote> {
    for (const part of this.#parts) yield* part;
  }
}
