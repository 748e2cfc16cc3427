import type { BufferPool } from "./buffer-pool.ts";
import { copyBytes } from "./bytes.ts";
import { LF } from "./line.ts";
import { EMPTY } from "./text.ts";

/** {@link Carry.fill}: the element needs more bytes than the chunk has. */
export const UNFILLED = -1;

/**
 * The start of an element whose end has not come yet: a line without its LF, or a message without all of its payload. It waits here,
 * in an array borrowed for it, until the next chunks complete it.
 */
export class Carry {
  /** What waits is `bytes[0, length)`. */
  bytes: Uint8Array = EMPTY;
  length = 0;
  /** How long the element is, once its line has said so; 0 before. */
  need = 0;
  readonly #pool: BufferPool;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Adds `chunk[start, end)`. */
  add(chunk: Uint8Array, start: number, end: number): void {
    const length = this.length + end - start;
    if (length > this.bytes.length) {
      // Room grows with what has come, not with what was announced: a size alone takes no memory.
      const grown = this.#pool.take(Math.max(length, Math.min(this.need, length * 2)));
      copyBytes(this.bytes, 0, this.length, grown, 0);
      this.#pool.give(this.bytes);
      this.bytes = grown;
    }
    copyBytes(chunk, start, end, this.bytes, this.length);
    this.length = length;
  }

  /**
   * Adds what completes the payload, or else the line, if the chunk has it from `pos` on. Returns where the chunk goes on, or UNFILLED
   * when all of it was taken and the end is still to come.
   */
  fill(chunk: Uint8Array, pos: number): number {
    if (this.need > 0) {
      const end = Math.min(chunk.length, pos + this.need - this.length);
      this.add(chunk, pos, end);
      return this.length < this.need ? UNFILLED : end;
    }
    const lineFeed = chunk.indexOf(LF, pos);
    const end = lineFeed < 0 ? chunk.length : lineFeed + 1;
    this.add(chunk, pos, end);
    return lineFeed < 0 ? UNFILLED : end;
  }

  /** Nothing waits any more. */
  release(): void {
    this.#pool.give(this.bytes);
    this.bytes = EMPTY;
    this.length = 0;
    this.need = 0;
  }
}
