/** A block cannot be decompressed. */
export class S2Error extends Error {
  override readonly name = "S2Error";
}

const CORRUPT = "s2: corrupt input";
/** Seven bits a byte: lengths are of 32. */
const MOST_LENGTH_BYTES = 5;

/** What a block begins with: how long it is when it is decompressed, and where what makes it stands. @throws S2Error */
export function readBlockLength(block: Uint8Array): { readonly length: number; readonly at: number } {
  let length = 0;
  for (let at = 0; at < Math.min(block.length, MOST_LENGTH_BYTES); at++) {
    length += (block[at] & 0x7f) * 128 ** at;
    if (block[at] < 0x80) return { length, at: at + 1 };
  }
  throw new S2Error(CORRUPT);
}

/**
 * Decompresses one block of S2, which may also be one of Snappy, in steps. After its length it is literals, and copies of what is a distance
 * back; S2 adds copies with the distance of the copy before ("repeats").
 */
export class S2BlockDecoder {
  #from: Uint8Array = new Uint8Array(0);
  #at = 0;
  #to: Uint8Array = new Uint8Array(0);
  #length = 0;
  #done = 0;
  #distance = 0;

  /** Begins with a block that decompresses into `to`, which must have the length that the block gives. */
  start(block: Uint8Array, at: number, to: Uint8Array, length: number): void {
    this.#from = block;
    this.#at = at;
    this.#to = to;
    this.#length = length;
    this.#done = 0;
    this.#distance = 0;
  }

  /** How many bytes have been decompressed. */
  get done(): number {
    return this.#done;
  }

  /**
   * Decompresses at least `count` bytes more, or to the end. Returns whether that has been reached.
   * @throws S2Error
   */
  step(count: number): boolean {
    const from = this.#from;
    const stop = Math.min(this.#length, this.#done + count);
    while (this.#at < from.length && this.#done < stop) {
      const tag = from[this.#at];
      if ((tag & 3) === 0) this.#literal(tag >> 2);
      else this.#copy(tag);
    }
    if (this.#at < from.length) {
      // Nothing may come behind the last byte.
      if (this.#done === this.#length) throw new S2Error(CORRUPT);
      return false;
    }
    if (this.#done !== this.#length) throw new S2Error(CORRUPT);
    return true;
  }

  #literal(size: number): void {
    const extra = size < 60 ? 0 : size - 59;
    const start = this.#at + 1 + extra;
    const length = 1 + (extra === 0 ? size : this.#number(this.#at + 1, extra));
    if (length > this.#length - this.#done || length > this.#from.length - start) throw new S2Error(CORRUPT);
    const to = this.#to;
    const from = this.#from;
    if (length > 32) to.set(from.subarray(start, start + length), this.#done);
    else for (let i = 0; i < length; i++) to[this.#done + i] = from[start + i];
    this.#done += length;
    this.#at = start + length;
  }

  #copy(tag: number): void {
    let length = (tag >> 2) + 1;
    if ((tag & 3) === 1) {
      const near = ((tag & 0xe0) << 3) | this.#number(this.#at + 1, 1);
      this.#at += 2;
      length = near === 0 ? this.#repeatLength((tag >> 2) & 7) : 4 + ((tag >> 2) & 7);
      if (near !== 0) this.#distance = near;
    } else {
      const size = (tag & 3) === 2 ? 2 : 4;
      this.#distance = this.#number(this.#at + 1, size);
      this.#at += 1 + size;
    }
    const distance = this.#distance;
    if (distance === 0 || distance > this.#done || length > this.#length - this.#done)
      throw new S2Error(CORRUPT);
    if (length > 32) this.#repeat(distance, length);
    else {
      const to = this.#to;
      const end = this.#done + length;
      for (let i = this.#done; i < end; i++) to[i] = to[i - distance];
    }
    this.#done += length;
  }

  /** A copy may run into what it writes: what there is to copy from becomes longer each time. */
  #repeat(distance: number, length: number): void {
    const start = this.#done - distance;
    for (let left = length, known = distance; left > 0; ) {
      const part = Math.min(left, known);
      this.#to.copyWithin(start + known, start, start + part);
      known += part;
      left -= part;
    }
  }

  /** The length of a repeat: a few small ones, or the number in the one to three bytes that follow. */
  #repeatLength(code: number): number {
    if (code < 5) return 4 + code;
    const size = code - 4;
    const extra = this.#number(this.#at, size);
    this.#at += size;
    return 4 + extra + [4, 1 << 8, 1 << 16][size - 1];
  }

  #number(at: number, size: number): number {
    const from = this.#from;
    if (at + size > from.length) throw new S2Error(CORRUPT);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + from[at + i];
    return value;
  }
}
