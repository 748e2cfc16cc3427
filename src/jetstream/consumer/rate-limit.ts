/** Holds what is sent to so many bytes a second, with room for one message of the largest size at once. */
export class RateLimit {
  readonly #bytesPerMs: number;
  readonly #burst: number;
  #room: number;
  #at: number;

  /** @param bitsPerSecond - more than 0. @param burst - in bytes. @param now - in ms. */
  constructor(bitsPerSecond: number, burst: number, now: number) {
    this.#bytesPerMs = Math.max(1, Math.floor(bitsPerSecond / 8)) / 1_000;
    this.#burst = this.#room = burst;
    this.#at = now;
  }

  /** How long to wait until a message may be sent, in ms; 0 for not at all. */
  wait(size: number, now: number): number {
    this.#room = Math.min(this.#burst, this.#room + (now - this.#at) * this.#bytesPerMs);
    this.#at = now;
    const missing = Math.min(size, this.#burst) - this.#room;
    return missing <= 0 ? 0 : missing / this.#bytesPerMs;
  }

  /** A message is sent. */
  take(size: number): void {
    this.#room -= Math.min(size, this.#burst);
  }
}
