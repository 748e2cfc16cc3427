import type { NotePlace } from "./note-list.ts";
import type { Segment } from "./segment.ts";

/** Bytes that are kept under a name, and where they are. */
export interface NamedNote {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly place: NotePlace;
}

/** What is kept under names, the last of each name; until that is on disk, also what was before it. */
export class NamedNotes {
  /** By name, oldest first. */
  readonly #versions = new Map<string, NamedNote[]>();

  /** @param notes - in the order in which they were written. */
  constructor(notes: Iterable<NamedNote>) {
    for (const note of notes) this.#versions.set(note.name, [note]);
  }

  /** Takes the place of what was kept under the name. */
  add(note: NamedNote): void {
    const versions = this.#versions.get(note.name) ?? [];
    const last = versions.findLastIndex(({ place }) => place.position < place.segment.committed);
    this.#versions.set(note.name, [...versions.slice(Math.max(0, last)), note]);
  }

  /** What is kept under a name. */
  get(name: string): NamedNote | undefined {
    return this.#versions.get(name)?.at(-1);
  }

  /** Those that must be written once more when segments go. */
  within(segments: ReadonlySet<Segment>): NamedNote[] {
    const all = [...this.#versions.values()];
    return all
      .filter((each) => each.some(({ place }) => segments.has(place.segment)))
      .map((each) => each.at(-1)!);
  }

  /** Forgets what has come to nothing. */
  undo(isThere: (place: NotePlace) => boolean): void {
    for (const [name, versions] of this.#versions) {
      const left = versions.filter(({ place }) => isThere(place));
      if (left.length === 0) this.#versions.delete(name);
      else this.#versions.set(name, left);
    }
  }

  /** The last of each name. */
  *[Symbol.iterator](): Generator<NamedNote> {
    for (const versions of this.#versions.values()) yield versions.at(-1)!;
  }
}
