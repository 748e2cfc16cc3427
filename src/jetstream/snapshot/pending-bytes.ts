const FIRST_CAPACITY = 4096;

/** Bytes that have come and have not been used yet, in one piece. */
export class PendingBytes {
  #buffer = new Uint8Array(0);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** Adds bytes behind those there are; they are copied. */
  push(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#buffer.length) this.#makeRoom(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The first `length` bytes, which stay; undefined when there are not so many. Valid until the next {@link push}. */
  peek(length: number): Uint8Array | undefined {
    if (length > this.length) return undefined;
    return this.#buffer.subarray(this.#start, this.#start + length);
  }

  /** The same, and they are used. */
  take(length: number): Uint8Array | undefined {
    const bytes = this.peek(length);
    if (bytes !== undefined) this.skip(length);
    return bytes;
  }

  /** The first `length` bytes, or those there are, are used. */
  skip(length: number): void {
    this.#start = Math.min(this.#start + length, this.#end);
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
  }

  #makeRoom(needed: number): void {
    const { length } = this;
    const old = this.#buffer;
    if (length + needed > old.length) {
      this.#buffer = new Uint8Array(Math.max(FIRST_CAPACITY, 2 * old.length, length + needed));
      this.#buffer.set(old.subarray(this.#start, this.#end));
    } else {
      old.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = length;
  }
}
