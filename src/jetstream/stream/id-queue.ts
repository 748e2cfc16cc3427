/** A part has so many ids: one is begun, or given back, without copying what is in the others. */
const PART = 1_024;

/** Columns of one table. */
interface Part {
  readonly ids: string[];
  readonly seqs: number[];
  readonly times: number[];
}

/** Ids in the order in which they came, each with its message's sequence and the time. */
export class IdQueue {
  #parts: Part[] = [];
  /** How many of the first part have been taken. */
  #taken = 0;

  /** Puts one at the end. */
  push(id: string, seq: number, time: number): void {
    let part = this.#parts[this.#parts.length - 1];
    if (part === undefined || part.ids.length === PART) {
      part = { ids: [], seqs: [], times: [] };
      this.#parts.push(part);
    }
    part.ids.push(id);
    part.seqs.push(seq);
    part.times.push(time);
  }

  /** The time of the first one; undefined when there is none. */
  get firstTime(): number | undefined {
    return this.#parts.length === 0 ? undefined : this.#parts[0].times[this.#taken];
  }

  /** Takes the first one out. There is one. */
  shift(): { id: string; seq: number } {
    const { ids, seqs } = this.#parts[0];
    const first = { id: ids[this.#taken], seq: seqs[this.#taken] };
    this.#taken += 1;
    if (this.#taken === ids.length) {
      this.#parts.shift();
      this.#taken = 0;
    }
    return first;
  }

  /** The last one; undefined when there is none. */
  get last(): { id: string; seq: number } | undefined {
    if (this.#parts.length === 0) return undefined;
    const { ids, seqs } = this.#parts[this.#parts.length - 1];
    return { id: ids[ids.length - 1], seq: seqs[seqs.length - 1] };
  }

  /** Takes the last one out. There is one. */
  pop(): void {
    const part = this.#parts[this.#parts.length - 1];
    part.ids.pop();
    part.seqs.pop();
    part.times.pop();
    const empty = part.ids.length === (this.#parts.length === 1 ? this.#taken : 0);
    if (!empty) return;
    this.#parts.pop();
    if (this.#parts.length === 0) this.#taken = 0;
  }
}
