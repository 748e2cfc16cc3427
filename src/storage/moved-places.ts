/**
 * Where messages are now that were removed while a merge went on and moved them, for as long as their removal may be undone. There may be hundreds of
 * thousands, and hardly ever is one looked for: lists grow without keeping the event loop, as a map of so many does not.
 */
export class MovedPlaces {
  #seqs: number[] = [];
  #places: number[] = [];
  /** All their removals are among the first so many. */
  #removals = 0;

  /** How many there are. */
  get size(): number {
    return this.#seqs.length;
  }

  /** A message that was removed is at `place` now. @param removals - how many removals there have been. */
  add(seq: number, place: number, removals: number): void {
    this.#seqs.push(seq);
    this.#places.push(place);
    this.#removals = removals;
  }

  /** Where those of these messages are now that have moved. */
  of(seqs: ReadonlySet<number>): Map<number, number> {
    const found = new Map<number, number>();
    for (let i = 0; i < this.#seqs.length; i++) {
      if (seqs.has(this.#seqs[i])) found.set(this.#seqs[i], this.#places[i]);
    }
    return found;
  }

  /** The first `removals` removals are not undone any more. */
  settle(removals: number): void {
    if (this.#seqs.length > 0 && removals >= this.#removals) this.clear();
  }

  /** Nothing that has moved is put back any more. */
  clear(): void {
    this.#seqs = [];
    this.#places = [];
  }
}
