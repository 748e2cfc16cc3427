/** For so long the two clocks are taken to go alike, in ms of `performance.now`. */
const ALIKE_MS = 1;
/** The most that `Date.now` leaves out, in ms. */
const FRACTION_MS = 0.999;

/**
 * The time of day in microseconds. `Date.now` has whole milliseconds; `performance.now` has more, but does not follow the clock of the machine when
 * that is set, nor while the machine sleeps. So the one is used, and held to the other once a millisecond: a look costs as much as one at either.
 */
export class PreciseTime {
  /** When `performance.now` was 0, in ms since the Unix epoch. */
  #epoch = performance.timeOrigin;
  #checkAt = 0;

  /** Milliseconds since the Unix epoch, in whole microseconds: in the millisecond that the machine's clock shows, or less than one beside it. */
  now(): number {
    const elapsed = performance.now();
    if (elapsed >= this.#checkAt) this.#check(elapsed);
    return Math.floor((this.#epoch + elapsed) * 1_000) / 1_000;
  }

  #check(elapsed: number): void {
    const least = Date.now() - elapsed;
    this.#epoch = Math.min(Math.max(this.#epoch, least), least + FRACTION_MS);
    this.#checkAt = elapsed + ALIKE_MS;
  }
}
