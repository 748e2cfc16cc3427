/** What is said of a message that has been stored: its publisher's reply subject, "" for none. */
export type Settle = (seq: number, reply: string, size: number) => void;

/** Room is made for twice as many as before, from so many to so many at a time. */
const FIRST_ROOM = 64;
const MOST_ROOM = 4_096;

/** Messages in columns, so that no object is made for one. */
class Part {
  readonly seqs: Float64Array;
  readonly sizes: Float64Array;
  readonly replies: string[];
  /** Those from `first` up to `end` are there. */
  first = 0;
  end = 0;
  next: Part | undefined = undefined;

  constructor(room: number) {
    this.seqs = new Float64Array(room);
    this.sizes = new Float64Array(room);
    this.replies = new Array<string>(room).fill("");
  }

  get isFull(): boolean {
    return this.end === this.seqs.length;
  }
}

/**
 * Messages that are stored and not yet on disk, in order: who is to hear of them, and how many bytes they are. When the disk is slow there can be
 * any number, so what is there is never moved.
 */
export class PendingAcks {
  #head = new Part(FIRST_ROOM);
  #tail = this.#head;
  /** The last one that was used up. */
  #spare: Part | undefined;
  #bytes = 0;

  /** The bytes of their messages. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A message waits. @param seq - not below the one before. */
  push(seq: number, reply: string, size: number): void {
    if (this.#tail.isFull) this.#tail = this.#tail.next = this.#more(this.#tail.seqs.length);
    const { seqs, sizes, replies, end } = this.#tail;
    seqs[end] = seq;
    sizes[end] = size;
    replies[end] = reply;
    this.#tail.end = end + 1;
    this.#bytes += size;
  }

  /** @param before - how much room there was in the last one. */
  #more(before: number): Part {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare !== undefined && spare.seqs.length >= before
      ? spare
      : new Part(Math.min(MOST_ROOM, 2 * before));
  }

  /**
   * Takes out all up to a sequence, in order. Whoever hears of one may add others.
   * @param most - how many at most. Returns whether those were all.
   */
  take(through: number, settle: Settle, most: number = Number.POSITIVE_INFINITY): boolean {
    for (let left = most; ; ) {
      const part = this.#head;
      const at = part.first;
      if (at === part.end) {
        if (!this.#shift(part)) return true;
        continue;
      }
      const seq = part.seqs[at];
      if (seq > through) return true;
      if (left === 0) return false;
      left -= 1;
      const reply = part.replies[at];
      const size = part.sizes[at];
      part.replies[at] = "";
      part.first = at + 1;
      this.#bytes -= size;
      settle(seq, reply, size);
    }
  }

  /** All of the first part have been taken. Returns whether there are others. */
  #shift(part: Part): boolean {
    part.first = part.end = 0;
    if (part.next === undefined) return false;
    this.#head = part.next;
    part.next = undefined;
    this.#spare = part;
    return true;
  }
}
