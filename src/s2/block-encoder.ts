/**
 * Compresses blocks of up to 64 KiB as Snappy does, which is also S2: looks up, by a hash of four bytes, where the same four were last, and
 * steps ahead faster the longer it finds nothing.
 */

const TABLE_BITS = 14;
const HASH = 0x1e35a7bd;
/** Copies are looked for up to here before the end only, so that four bytes can always be read. */
const MARGIN = 15;
/** How many bytes without a find make the steps longer by one. */
const PATIENCE_BITS = 5;

/** The most that a block of `length` bytes can come to. */
export function maxEncodedLength(length: number): number {
  return 32 + length + Math.floor(length / 6);
}

/** Compresses one block after the other. */
export class S2BlockEncoder {
  /** Where four bytes with a hash were last, plus one. */
  readonly #table = new Uint32Array(1 << TABLE_BITS);
  #to: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** Compresses `block[0, length)`, at most 64 KiB, into `to`, which has {@link maxEncodedLength} bytes from `at` on; returns where it ends. */
  encode(block: Uint8Array, length: number, to: Uint8Array, at: number): number {
    this.#to = to;
    this.#at = at;
    for (let rest = length; ; rest = Math.floor(rest / 128)) {
      to[this.#at++] = rest > 127 ? (rest & 127) | 128 : rest;
      if (rest <= 127) break;
    }
    const literal = length < MARGIN + 4 ? 0 : this.#copies(block, length);
    if (literal < length) this.#literal(block, literal, length);
    return this.#at;
  }

  /** Writes all up to the last copy; returns where that ends. */
  #copies(block: Uint8Array, length: number): number {
    const table = this.#table;
    table.fill(0);
    const limit = length - MARGIN;
    let literal = 0;
    let at = 1;
    let tries = 1 << PATIENCE_BITS;
    while (at < limit) {
      const four = fourAt(block, at);
      const slot = Math.imul(four, HASH) >>> (32 - TABLE_BITS);
      const candidate = table[slot] - 1;
      table[slot] = at + 1;
      if (candidate < 0 || fourAt(block, candidate) !== four) {
        at += tries++ >> PATIENCE_BITS;
        continue;
      }
      if (literal < at) this.#literal(block, literal, at);
      let end = at + 4;
      const distance = at - candidate;
      while (end < length && block[end] === block[end - distance]) end++;
      this.#copy(distance, end - at);
      at = end;
      literal = end;
      tries = 1 << PATIENCE_BITS;
      if (at < limit) table[Math.imul(fourAt(block, at - 1), HASH) >>> (32 - TABLE_BITS)] = at;
    }
    return literal;
  }

  #literal(block: Uint8Array, start: number, end: number): void {
    const to = this.#to;
    const last = end - start - 1;
    if (last < 60) {
      to[this.#at++] = last << 2;
    } else if (last < 256) {
      to[this.#at++] = 60 << 2;
      to[this.#at++] = last;
    } else {
      to[this.#at++] = 61 << 2;
      to[this.#at++] = last;
      to[this.#at++] = last >> 8;
    }
    if (last < 32) for (let i = start; i < end; i++) to[this.#at++] = block[i];
    else {
      to.set(block.subarray(start, end), this.#at);
      this.#at += end - start;
    }
  }

  #copy(distance: number, length: number): void {
    // A copy is of 64 bytes at most; the last is of 4 at least, so that it may be one of the short ones.
    while (length >= 68) {
      this.#longCopy(distance, 64);
      length -= 64;
    }
    if (length > 64) {
      this.#longCopy(distance, 60);
      length -= 60;
    }
    if (length >= 12 || distance >= 2048) {
      this.#longCopy(distance, length);
    } else {
      this.#to[this.#at++] = ((distance >> 8) << 5) | ((length - 4) << 2) | 1;
      this.#to[this.#at++] = distance;
    }
  }

  #longCopy(distance: number, length: number): void {
    const to = this.#to;
    to[this.#at++] = ((length - 1) << 2) | 2;
    to[this.#at++] = distance;
    to[this.#at++] = distance >> 8;
  }
}

function fourAt(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
