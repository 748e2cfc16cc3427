import type { IdRef } from "./seen-ids.ts";

/** A part has so many ids: one is begun, or given back, without copying what is in the others. */
const PART = 1_024;
/** The first part has room for so many at first: most streams have few ids, or none. */
const FIRST_ROOM = 16;

/** Columns of one table. */
interface Part {
  readonly refs: IdRef[];
  seqs: Float64Array;
  times: Float64Array;
}

function partFor(room: number): Part {
  return { refs: [], seqs: new Float64Array(room), times: new Float64Array(room) };
}

/** Ids in the order in which they came, each with its message's sequence and the time. */
export class IdQueue {
  #parts: Part[] = [];
  /** How many of the first part have been taken. */
  #taken = 0;

  /** Puts one at the end. */
  push(ref: IdRef, seq: number, time: number): void {
    let part = this.#parts[this.#parts.length - 1];
    if (part === undefined || part.refs.length === PART) {
      part = partFor(part === undefined ? FIRST_ROOM : PART);
      this.#parts.push(part);
    }
    const at = part.refs.length;
    if (at === part.seqs.length) {
      const { seqs, times } = part;
      Object.assign(part, partFor(at * 2), { refs: part.refs });
      part.seqs.set(seqs);
      part.times.set(times);
    }
    part.refs.push(ref);
    part.seqs[at] = seq;
    part.times[at] = time;
  }

  /** The time of the first one; undefined when there is none. */
  get firstTime(): number | undefined {
    return this.#parts.length === 0 ? undefined : this.#parts[0].times[this.#taken];
  }

  /** Takes the first one out. There is one. */
  shift(): { ref: IdRef; seq: number } {
    const { refs, seqs } = this.#parts[0];
    const first = { ref: refs[this.#taken], seq: seqs[this.#taken] };
    this.#taken += 1;
    if (this.#taken === refs.length) {
      this.#parts.shift();
      this.#taken = 0;
    }
    return first;
  }

  /** The last one; undefined when there is none. */
  get last(): { ref: IdRef; seq: number } | undefined {
    if (this.#parts.length === 0) return undefined;
    const { refs, seqs } = this.#parts[this.#parts.length - 1];
    return { ref: refs[refs.length - 1], seq: seqs[refs.length - 1] };
  }

  /** Takes the last one out. There is one. */
  pop(): void {
    const { refs } = this.#parts[this.#parts.length - 1];
    refs.pop();
    const empty = refs.length === (this.#parts.length === 1 ? this.#taken : 0);
    if (!empty) return;
    this.#parts.pop();
    if (this.#parts.length === 0) this.#taken = 0;
  }
}
