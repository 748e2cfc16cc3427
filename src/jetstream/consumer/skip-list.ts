import type { StoreWatcher } from "../../storage/store.ts";

/** The messages that a consumer with "last_per_subject" begins with: the last on each subject. Those that go meanwhile are left out. */
export class SkipList implements StoreWatcher {
  readonly #seqs: readonly number[];
  readonly #gone = new Set<number>();
  #at = 0;
  /** How many are left. */
  left: number;

  /** @param seqs - in order. */
  constructor(seqs: readonly number[]) {
    this.#seqs = seqs;
    this.left = seqs.length;
  }

  /** The next one; 0 for none. It stays. */
  first(): number {
    while (this.#at < this.#seqs.length && this.#gone.has(this.#seqs[this.#at])) this.#at += 1;
    return this.#seqs[this.#at] ?? 0;
  }

  /** The next one is delivered. */
  shift(): void {
    this.#at += 1;
    this.left -= 1;
  }

  /** Whether a message is still to come. */
  has(seq: number): boolean {
    return this.#find(seq) >= 0 && !this.#gone.has(seq);
  }

  /** Where a message is among those that are left; -1 when it is not. */
  #find(seq: number): number {
    let low = this.#at;
    let high = this.#seqs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#seqs[middle] < seq) low = middle + 1;
      else high = middle;
    }
    return this.#seqs[low] === seq ? low : -1;
  }

  removed(seq: number): void {
    if (!this.has(seq)) return;
    this.#gone.add(seq);
    this.left -= 1;
  }

  restored(seq: number): void {
    if (this.#find(seq) >= 0 && this.#gone.delete(seq)) this.left += 1;
  }

  cleared(): void {
    this.#at = this.#seqs.length;
    this.left = 0;
  }
}
