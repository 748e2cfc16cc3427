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

/** Compresses one block after the other, in steps if need be. */
export class S2BlockEncoder {
  /** Where four bytes with a hash were last, plus one. */
  readonly #table = new Uint32Array(1 << TABLE_BITS);
  #block: Uint8Array = new Uint8Array(0);
  #length = 0;
  #to: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** How far copies have been looked for, and all is written. */
  #looked = 0;
  #written = 0;
  #tries = 0;

  /** Compresses `block[0, length)`, at most 64 KiB, into `to`, which has {@link maxEncodedLength} bytes from `at` on; returns where it ends. */
  encode(block: Uint8Array, length: number, to: Uint8Array, at: number): number {
    this.start(block, length, to, at);
    this.step(length);
    return this.#at;
  }

  /** Begins the same in steps: neither array may change until the last. */
  start(block: Uint8Array, length: number, to: Uint8Array, at: number): void {
    this.#block = block;
    this.#length = length;
    this.#to = to;
    this.#at = at;
    for (let rest = length; ; rest = Math.floor(rest / 128)) {
      to[this.#at++] = rest > 127 ? (rest & 127) | 128 : rest;
      if (rest <= 127) break;
    }
    this.#table.fill(0);
    this.#looked = length < MARGIN + 4 ? length : 1;
    this.#written = 0;
    this.#tries = 1 << PATIENCE_BITS;
  }

  /** Compresses at least `count` bytes more, or to the end. Returns whether that has been reached. */
  step(count: number): boolean {
    const limit = this.#length - MARGIN;
    this.#copies(Math.min(limit, this.#looked + count));
    if (this.#looked < limit) return false;
    if (this.#written < this.#length) this.#literal(this.#block, this.#written, this.#length);
    return true;
  }

  /** Where in the array it ends that is compressed so far. */
  get end(): number {
    return this.#at;
  }

  /** Looks for copies up to `stop`, and writes all up to the last. */
  #copies(stop: number): void {
    const table = this.#table;
    const block = this.#block;
    const length = this.#length;
    const limit = length - MARGIN;
    let at = this.#looked;
    let literal = this.#written;
    let tries = this.#tries;
    while (at < stop) {
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
    this.#looked = at;
    this.#written = literal;
    this.#tries = tries;
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
