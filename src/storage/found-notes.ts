import { type KeptNote, NoteList } from "./note-list.ts";
import type { Pacer } from "./pacer.ts";

/** Each byte is a character: notes are any bytes. */
const decoder = new TextDecoder("latin1");

/** So many notes are gone through before the clock is looked at. */
const PIECE = 64;

/** Notes in the order of their times, and how far they have been read. */
interface Run {
  readonly notes: NoteList;
  last: number;
}

/**
 * Notes in the order in which recovery finds them, which is nearly that of their times: only those that a merge has written once more come late. They
 * gather as runs that are in order, mostly one, so that millions of them need no sorting, and no map of all, either of which keeps the event loop.
 */
export class FoundNotes {
  /** The times with which they end go down, from one to the next. */
  readonly #runs: Run[] = [];

  /** A note was found; its bytes are copied. */
  add(note: KeptNote): void {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#runs[middle].last <= note.time) high = middle;
      else low = middle + 1;
    }
    const run = (this.#runs[low] ??= { notes: new NoteList([]), last: 0 });
    run.notes.add(note);
    run.last = note.time;
  }

  /** All of them, in order of their times. One that was found again is one, where it was found last. */
  async all(pacer: Pacer): Promise<NoteList> {
    const all = new NoteList([]);
    const readers = this.#runs.map(({ notes }) => new Reader(notes));
    let left = PIECE;
    for (;;) {
      const time = readers.reduce((least, { time }) => Math.min(least, time), Infinity);
      if (time === Infinity) return all;
      // What is found again goes to the run of the first, or a later one.
      const alike = new Map<string, KeptNote>();
      let count = 0;
      for (const reader of readers) {
        for (; reader.time === time; reader.next()) {
          const note = reader.note!;
          alike.set(decoder.decode(note.bytes), note);
          count += 1;
        }
      }
      for (const note of alike.values()) all.add(note);
      left -= count;
      if (left > 0) continue;
      left = PIECE;
      if (pacer.due) await pacer.rest();
    }
  }
}

/** Reads the notes of a run. */
class Reader {
  readonly #notes: Iterator<KeptNote>;
  /** The one that is next; undefined at the end. */
  note: KeptNote | undefined;
  /** When it was; later than all at the end. */
  time = 0;

  constructor(notes: NoteList) {
    this.#notes = notes[Symbol.iterator]();
    this.next();
  }

  next(): void {
    const { value, done } = this.#notes.next();
    this.note = done === true ? undefined : value;
    this.time = this.note?.time ?? Infinity;
  }
}
