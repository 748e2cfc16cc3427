import type { RemovedMessage } from "./stream-index.ts";

/** A removal that no commit has covered yet. */
export interface Removal {
  readonly seq: number;
  /** The message that it makes room for; 0 for none. */
  readonly because: number;
  /** What is put back should that message come to nothing. */
  readonly message: RemovedMessage | undefined;
}

/** The removals since the last commit, in order: they are written down together, and undone with the messages in whose favour they were. */
export class Removals {
  #list: Removal[] = [];
  /** How many of them have been written down, and how many the commit that goes on has. */
  #written = 0;
  #recorded = 0;
  #count = 0;

  /** How many there have ever been; removing everything counts as one. */
  get count(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.#list.length === 0;
  }

  /** How many have not been written down. */
  get unwritten(): number {
    return this.#list.length - this.#written;
  }

  /** A message has been removed. Returns {@link count}. */
  add(removal: Removal): number {
    this.#list.push(removal);
    this.#count += 1;
    return this.#count;
  }

  /** All messages have been removed, which is told otherwise. */
  clear(): void {
    this.#list = [];
    this.#written = 0;
    this.#recorded = 0;
    this.#count += 1;
  }

  /** Those that are to be written down now, but for what is below the stream's first sequence, which says as much. */
  write(firstSeq: number): number[] {
    const seqs: number[] = [];
    for (let i = this.#written; i < this.#list.length; i++) {
      if (this.#list[i].seq >= firstSeq) seqs.push(this.#list[i].seq);
    }
    this.#written = this.#list.length;
    return seqs;
  }

  /** A commit begins with all that there are. */
  beginCommit(): void {
    this.#recorded = this.#list.length;
  }

  /** What the commit had is not to be undone any more. */
  committed(): void {
    this.#list.splice(0, this.#recorded);
    this.#written -= this.#recorded;
    this.#recorded = 0;
  }

  /**
   * Messages from `first` on have come to nothing, and what was written since the last commit.
   * @returns those that were removed in their favour, and are to be put back.
   */
  undo(first: number): RemovedMessage[] {
    const back: RemovedMessage[] = [];
    const kept: Removal[] = [];
    for (const removal of this.#list) {
      if (removal.seq >= first) continue;
      if (removal.because < first || removal.message === undefined) kept.push(removal);
      else back.push(removal.message);
    }
    this.#list = kept;
    this.#written = 0;
    this.#recorded = 0;
    return back;
  }
}
