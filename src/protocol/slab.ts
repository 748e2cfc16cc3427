import { copyBytes, copyOf } from "./bytes.ts";

/** Small enough that one kept message holds little else alive, large enough that allocation does not show. */
const SLAB_BYTES = 32 * 1024;
/** From this size on, a payload gets an array of its own, so that it pins no neighbours. */
const LARGE_BYTES = SLAB_BYTES >> 2;
/** Up to this size the engine keeps an array's bytes beside the array, and makes both in no time. */
const SMALL_BYTES = 64;

/**
 * Where payloads are kept that outlive the call they came in. Making an array costs more than copying a message of middle size into
 * one, so those share arrays; nothing is ever written twice to the same place, and the garbage collector frees a slab when the last
 * message in it is gone. Small and large ones have arrays of their own.
 */
export class Slab {
  /** The array that the last {@link keep} copied into. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where in it the copy begins. */
  at = 0;
  #shared: Uint8Array = new Uint8Array(0);
  #next = 0;

  /** Copies `source[start, end)` to a place of its own: `bytes[at, at + end - start)`. */
  keep(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    // All of an array is copied quicker than a part of it.
    if (length <= SMALL_BYTES && length === source.length) {
      this.bytes = new Uint8Array(source);
      this.at = 0;
      return;
    }
    // A Buffer's `slice` is a view; only a plain array's is a copy.
    if (length <= SMALL_BYTES && source.constructor === Uint8Array) {
      this.bytes = source.slice(start, end);
      this.at = 0;
      return;
    }
    if (length > LARGE_BYTES) {
      this.bytes = copyOf(source, start, end);
      this.at = 0;
      return;
    }
    if (this.#next + length > this.#shared.length) {
      this.#shared = new Uint8Array(SLAB_BYTES);
      this.#next = 0;
    }
    this.bytes = this.#shared;
    this.at = this.#next;
    copyBytes(source, start, end, this.bytes, this.at);
    this.#next += length;
  }
}
