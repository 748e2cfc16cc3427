import { copyBytes, copyOf } from "./bytes.ts";

/** Small enough that one kept message holds little else alive, large enough that allocation does not show. */
const SLAB_BYTES = 16 * 1024;

/**
 * Where payloads are kept that outlive the call they came in: many small ones share an array, because allocating an array costs
 * more than copying a message into one. Nothing is ever written twice to the same place; the garbage collector frees a slab
 * when the last message in it is gone.
 */
export class Slab {
  /** The array that the last {@link keep} copied into. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where in it the copy begins. */
  at = 0;
  #next = 0;

  /** Copies `source[start, end)` to a place of its own: `bytes[at, at + end - start)`. */
  keep(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > SLAB_BYTES >> 2) {
      // A large one gets its own array, so that it pins no neighbours.
      this.bytes = copyOf(source, start, end);
      this.at = 0;
      this.#next = this.bytes.length;
      return;
    }
    if (this.#next + length > this.bytes.length) {
      this.bytes = new Uint8Array(SLAB_BYTES);
      this.#next = 0;
    }
    this.at = this.#next;
    copyBytes(source, start, end, this.bytes, this.at);
    this.#next += length;
  }
}
