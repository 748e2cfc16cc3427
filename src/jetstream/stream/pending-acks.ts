/** What is said of a message that has been stored: its publisher's reply subject, "" for none. */
export type Settle = (seq: number, reply: string, size: number) => void;

const FIRST_ROOM = 64;

/**
 * Messages that are stored and not yet on disk, in order: who is to hear of them, and how many bytes they are. A ring of columns, so that
 * no object is made for a message.
 */
export class PendingAcks {
  #seqs = new Float64Array(FIRST_ROOM);
  #sizes = new Float64Array(FIRST_ROOM);
  #replies: string[] = new Array<string>(FIRST_ROOM).fill("");
  #first = 0;
  #count = 0;
  #bytes = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** The bytes of their messages. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A message waits. @param seq - not below the one before. */
  push(seq: number, reply: string, size: number): void {
    if (this.#count === this.#seqs.length) this.#grow();
    const at = (this.#first + this.#count) & (this.#seqs.length - 1);
    this.#seqs[at] = seq;
    this.#sizes[at] = size;
    this.#replies[at] = reply;
    this.#count += 1;
    this.#bytes += size;
  }

  /** Takes out all up to a sequence, in order. */
  take(through: number, settle: Settle): void {
    const mask = this.#seqs.length - 1;
    while (this.#count > 0 && this.#seqs[this.#first] <= through) {
      const at = this.#first;
      const reply = this.#replies[at];
      this.#replies[at] = "";
      this.#first = (at + 1) & mask;
      this.#count -= 1;
      this.#bytes -= this.#sizes[at];
      settle(this.#seqs[at], reply, this.#sizes[at]);
      if (this.#seqs.length - 1 !== mask) {
        // Whoever heard of it has published more than there was room for.
        this.take(through, settle);
        return;
      }
    }
  }

  #grow(): void {
    const room = this.#seqs.length;
    const seqs = new Float64Array(room * 2);
    const sizes = new Float64Array(room * 2);
    const replies = new Array<string>(room * 2).fill("");
    for (let i = 0; i < this.#count; i++) {
      const at = (this.#first + i) & (room - 1);
      seqs[i] = this.#seqs[at];
      sizes[i] = this.#sizes[at];
      replies[i] = this.#replies[at];
    }
    this.#first = 0;
    this.#seqs = seqs;
    this.#sizes = sizes;
    this.#replies = replies;
  }
}
