import { assert } from "../../protocol/assert.ts";

const FIRST_ROOM = 16;
/** When nothing is pending, arrays for more than so many messages are given back. */
const KEPT_ROOM = 16 * 1024;

/**
 * The messages that a consumer has delivered and that are not acknowledged, in the order of the stream, which is that of their first delivery. They lie
 * in arrays of numbers; a place is valid until the next {@link add}.
 */
export class PendingAcks {
  #seqs = new Float64Array(FIRST_ROOM);
  /** The consumer's sequence of the first delivery; 0 says that the message is not pending any more. */
  #consumerSeqs = new Float64Array(FIRST_ROOM);
  #times = new Float64Array(FIRST_ROOM);
  #redeliveries = new Uint32Array(FIRST_ROOM);
  #queued = new Uint8Array(FIRST_ROOM);
  /** Places before this one, and from {@link #end} on, are free. */
  #start = 0;
  #end = 0;
  #size = 0;
  #redelivered = 0;
  #waiting = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** How many of them have been delivered more than once. */
  get redelivered(): number {
    return this.#redelivered;
  }

  /** How many of them wait to be delivered again. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Adds a message that comes after all others in the stream. @param time - when it was delivered, in ms. */
  add(seq: number, consumerSeq: number, time: number, redeliveries = 0): void {
    if (this.#end === this.#seqs.length) this.#makeRoom();
    assert(this.#end === this.#start || this.#seqs[this.#end - 1] < seq, "messages are delivered in order");
    const place = this.#end++;
    this.#seqs[place] = seq;
    this.#consumerSeqs[place] = consumerSeq;
    this.#times[place] = time;
    this.#redeliveries[place] = redeliveries;
    this.#queued[place] = 0;
    this.#size += 1;
    if (redeliveries > 0) this.#redelivered += 1;
  }

  /** Adds a message that others come after. Places from there on are those of other messages then. Returns its place. */
  insert(seq: number, consumerSeq: number, time: number): number {
    const later: (readonly [
      seq: number,
      consumerSeq: number,
      time: number,
      again: number,
      queued: boolean,
    ])[] = [];
    for (let at = this.#end - 1; this.#size > 0 && at >= this.#start && this.#seqs[at] > seq; at--) {
      if (this.#consumerSeqs[at] === 0) continue;
      later.push([
        this.#seqs[at],
        this.#consumerSeqs[at],
        this.#times[at],
        this.#redeliveries[at],
        this.isQueued(at),
      ]);
      this.remove(at);
    }
    this.add(seq, consumerSeq, time);
    for (const [seq, consumerSeq, time, again, queued] of later.reverse()) {
      this.add(seq, consumerSeq, time, again);
      this.setQueued(this.#end - 1, queued);
    }
    return this.find(seq);
  }

  /** The place of a message; -1 when it is not pending. */
  find(seq: number): number {
    const seqs = this.#seqs;
    let low = this.#start;
    let high = this.#end - 1;
    if (high < low || seq < seqs[low] || seq > seqs[high]) return -1;
    // Where nothing is left out, the message is as far from the first as their numbers say; it is never further.
    const guess = low + (seq - seqs[low]);
    if (guess < high) high = guess;
    if (seqs[high] !== seq) {
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (seqs[middle] < seq) low = middle + 1;
        else high = middle;
      }
    }
    return seqs[high] === seq && this.#consumerSeqs[high] !== 0 ? high : -1;
  }

  /** The place of the first message; -1 for none. */
  first(): number {
    return this.#size === 0 ? -1 : this.#start;
  }

  /** The place of the message after; -1 for none. */
  next(place: number): number {
    for (let at = place + 1; at < this.#end; at++) if (this.#consumerSeqs[at] !== 0) return at;
    return -1;
  }

  /** The stream's sequence. */
  seq(place: number): number {
    return this.#seqs[place];
  }

  /** The consumer's sequence of the first delivery. */
  consumerSeq(place: number): number {
    return this.#consumerSeqs[place];
  }

  /** When it was delivered, or what counts as that. */
  time(place: number): number {
    return this.#times[place];
  }

  setTime(place: number, time: number): void {
    this.#times[place] = time;
  }

  /** How often it has been delivered again. */
  redeliveries(place: number): number {
    return this.#redeliveries[place];
  }

  setRedeliveries(place: number, count: number): void {
    this.#redelivered += (count > 0 ? 1 : 0) - (this.#redeliveries[place] > 0 ? 1 : 0);
    this.#redeliveries[place] = count;
  }

  /** Whether it waits to be delivered again. */
  isQueued(place: number): boolean {
    return this.#queued[place] !== 0;
  }

  setQueued(place: number, queued: boolean): void {
    const flag = queued ? 1 : 0;
    this.#waiting += flag - this.#queued[place];
    this.#queued[place] = flag;
  }

  /** Takes a message out. */
  remove(place: number): void {
    assert(this.#consumerSeqs[place] !== 0, "what is removed is pending");
    this.#consumerSeqs[place] = 0;
    this.#size -= 1;
    if (this.#redeliveries[place] > 0) this.#redelivered -= 1;
    this.setQueued(place, false);
    if (this.#size === 0) {
      this.clear();
      return;
    }
    while (this.#consumerSeqs[this.#start] === 0) this.#start += 1;
    while (this.#consumerSeqs[this.#end - 1] === 0) this.#end -= 1;
  }

  /** Takes all out. */
  clear(): void {
    this.#start = this.#end = this.#size = this.#redelivered = this.#waiting = 0;
    if (this.#seqs.length > KEPT_ROOM) this.#allocate(FIRST_ROOM);
  }

  #allocate(room: number): void {
    this.#seqs = new Float64Array(room);
    this.#consumerSeqs = new Float64Array(room);
    this.#times = new Float64Array(room);
    this.#redeliveries = new Uint32Array(room);
    this.#queued = new Uint8Array(room);
  }

  /** Moves what is there to the arrays' beginnings; to larger ones, when they are more than half full. */
  #makeRoom(): void {
    const room = this.#size * 2 > this.#seqs.length ? this.#seqs.length * 2 : this.#seqs.length;
    const from = {
      seqs: this.#seqs,
      consumerSeqs: this.#consumerSeqs,
      times: this.#times,
      redeliveries: this.#redeliveries,
      queued: this.#queued,
    };
    if (room > from.seqs.length) this.#allocate(room);
    let to = 0;
    for (let place = this.#start; place < this.#end; place++) {
      if (from.consumerSeqs[place] === 0) continue;
      this.#seqs[to] = from.seqs[place];
      this.#consumerSeqs[to] = from.consumerSeqs[place];
      this.#times[to] = from.times[place];
      this.#redeliveries[to] = from.redeliveries[place];
      this.#queued[to] = from.queued[place];
      to += 1;
    }
    this.#start = 0;
    this.#end = to;
  }
}
