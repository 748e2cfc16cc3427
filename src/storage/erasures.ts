import type { Segment } from "./segment.ts";

/** A message whose bytes are to be overwritten, once its removal is on disk. */
export interface Erasure {
  readonly seq: number;
  segment: Segment;
  position: number;
  /** Which removal it was. */
  readonly removal: number;
  /** How many syncs there were since that covered it. */
  syncs: number;
}

/** After so many syncs: the second says that the first, of the removal, was on disk (docs/storage.md). */
const DUE_SYNCS = 2;

/** The messages of a store that are to be overwritten. */
export class Erasures {
  #all: Erasure[] = [];

  add(seq: number, segment: Segment, position: number, removal: number): void {
    this.#all.push({ seq, segment, position, removal, syncs: 0 });
  }

  /** Whether there is one that needs a sync yet. */
  get waiting(): boolean {
    return this.#all.some(({ syncs }) => syncs < DUE_SYNCS);
  }

  /** Whether the next commit must have a record, which says that the one before was on disk. */
  get marking(): boolean {
    return this.#all.some(({ syncs }) => syncs === DUE_SYNCS - 1);
  }

  /** A sync is done that covers all removals up to a number. */
  synced(removals: number): void {
    for (const each of this.#all) if (each.removal <= removals) each.syncs += 1;
  }

  /** Those that are due in some segment; mostly none. What is in a segment that is gone is gone with it. */
  due(segments: readonly Segment[]): readonly Erasure[] {
    if (this.#all.length === 0) return this.#all;
    const there = new Set(segments);
    this.#all = this.#all.filter(({ segment }) => there.has(segment));
    const first = this.#all.find(({ syncs }) => syncs >= DUE_SYNCS);
    return this.#all.filter(({ segment, syncs }) => segment === first?.segment && syncs >= DUE_SYNCS);
  }

  /** They have been overwritten, or cannot be. */
  done(erasures: readonly Erasure[]): void {
    const gone = new Set(erasures);
    this.#all = this.#all.filter((each) => !gone.has(each));
  }

  /** A message is elsewhere now. */
  moved(seq: number, segment: Segment, position: number): void {
    for (const each of this.#all) {
      if (each.seq === seq) Object.assign(each, { segment, position });
    }
  }

  /** Segments have become shorter. */
  cut(): void {
    this.#all = this.#all.filter(({ segment, position }) => position < segment.size);
  }
}
