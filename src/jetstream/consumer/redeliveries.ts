import type { PendingAcks } from "./pending-acks.ts";

/** The pending messages that are to be delivered again, in the order in which they will be. */
export class Redeliveries {
  readonly #pending: PendingAcks;
  /** Some may not be pending any more. */
  #queue: number[] = [];
  /** What comes before has been taken. */
  #head = 0;

  constructor(pending: PendingAcks) {
    this.#pending = pending;
  }

  /** How many there are. */
  get size(): number {
    return this.#pending.waiting;
  }

  /** Puts a pending message at the end, unless it is there. */
  add(place: number): void {
    if (this.#pending.isQueued(place)) return;
    this.#pending.setQueued(place, true);
    this.#queue.push(this.#pending.seq(place));
  }

  /** Takes a pending message out. */
  remove(place: number): void {
    if (!this.#pending.isQueued(place)) return;
    this.#pending.setQueued(place, false);
    const at = this.#queue.indexOf(this.#pending.seq(place), this.#head);
    if (at >= 0) this.#queue.splice(at, 1);
  }

  /** The place of the first one; -1 for none. It stays. */
  first(): number {
    while (this.#head < this.#queue.length) {
      const place = this.#pending.find(this.#queue[this.#head]);
      if (place >= 0 && this.#pending.isQueued(place)) return place;
      this.#advance();
    }
    return -1;
  }

  /** Takes the first one out. */
  shift(place: number): void {
    this.#pending.setQueued(place, false);
    this.#advance();
  }

  /** Takes all out. */
  clear(): void {
    for (let i = this.#head; i < this.#queue.length; i++) {
      const place = this.#pending.find(this.#queue[i]);
      if (place >= 0) this.#pending.setQueued(place, false);
    }
    this.#queue = [];
    this.#head = 0;
  }

  #advance(): void {
    this.#head += 1;
    if (this.#head === this.#queue.length) {
      this.#queue.length = this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}
