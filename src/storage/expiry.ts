import { TTL_NEVER } from "./store.ts";

/** The messages of a stream that have a TTL of their own, and when they are due. Streams without such messages hold nothing here. */
export class Expiry {
  /** The TTL (s) of each message that has one. */
  readonly #ttls = new Map<number, number>();
  /** A binary heap of pairs: when, and which. Pairs of messages that are gone stay until they come to the top. */
  #heap: number[] = [];

  /** How many messages have a TTL. */
  get size(): number {
    return this.#ttls.size;
  }

  /** The TTL of a message in s, 0 for none. */
  ttlOf(seq: number): number {
    return this.#ttls.size === 0 ? 0 : (this.#ttls.get(seq) ?? 0);
  }

  /** A message with a TTL has come. */
  add(seq: number, time: number, ttl: number): void {
    this.#ttls.set(seq, ttl);
    if (ttl !== TTL_NEVER) this.#push(time + ttl * 1000, seq);
  }

  /** A message has gone. */
  remove(seq: number): void {
    if (this.#ttls.size === 0 || !this.#ttls.delete(seq)) return;
    if (this.#heap.length > 64 && this.#heap.length > this.#ttls.size * 8) this.#sweep();
  }

  /** All have gone. */
  clear(): void {
    this.#ttls.clear();
    this.#heap = [];
  }

  /** When the next one is due, in ms since the epoch; undefined for none. */
  next(): number | undefined {
    while (this.#heap.length > 0 && !this.#ttls.has(this.#heap[1])) this.#pop();
    return this.#heap[0];
  }

  /** Those due at `now`, the first ones first, up to `limit`. They stay. */
  due(now: number, limit: number): number[] {
    const due: number[] = [];
    const taken: number[] = [];
    while (due.length < limit) {
      const next = this.next();
      if (next === undefined || next > now) break;
      due.push(this.#heap[1]);
      taken.push(next, this.#heap[1]);
      this.#pop();
    }
    for (let i = 0; i < taken.length; i += 2) this.#push(taken[i], taken[i + 1]);
    return due;
  }

  /** Every message with a TTL: sequence and seconds. */
  entries(): IterableIterator<[number, number]> {
    return this.#ttls.entries();
  }

  #sweep(): void {
    const old = this.#heap;
    this.#heap = [];
    for (let i = 0; i < old.length; i += 2) if (this.#ttls.has(old[i + 1])) this.#push(old[i], old[i + 1]);
  }

  #push(when: number, seq: number): void {
    const heap = this.#heap;
    let at = heap.length >> 1;
    heap.push(when, seq);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent * 2] <= when) break;
      heap[at * 2] = heap[parent * 2];
      heap[at * 2 + 1] = heap[parent * 2 + 1];
      at = parent;
    }
    heap[at * 2] = when;
    heap[at * 2 + 1] = seq;
  }

  #pop(): void {
    const heap = this.#heap;
    const seq = heap.pop()!;
    const when = heap.pop()!;
    const size = heap.length >> 1;
    if (size === 0) return;
    let at = 0;
    for (let child = 1; child < size; child = at * 2 + 1) {
      if (child + 1 < size && heap[child * 2 + 2] < heap[child * 2]) child += 1;
      if (heap[child * 2] >= when) break;
      heap[at * 2] = heap[child * 2];
      heap[at * 2 + 1] = heap[child * 2 + 1];
      at = child;
    }
    heap[at * 2] = when;
    heap[at * 2 + 1] = seq;
  }
}
