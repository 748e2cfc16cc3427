/**
 * How a consumer's state is written down (docs/storage.md): numbers, seven bits a byte, the lowest first.
 */

/** What has changed. */
export const CHANGE = {
  /** The whole state, in place of all before. */
  state: 1,
  /** A message was delivered for the first time. */
  delivered: 2,
  /** A message was delivered again. */
  redelivered: 3,
  /** A message is not pending any more: acknowledged, terminated, or gone from the stream. */
  settled: 4,
  /** All messages up to one are acknowledged. */
  settledThrough: 5,
  /** The time from which a pending message's wait counts has changed. */
  touched: 6,
  /** A message has been delivered as often as it may be. */
  exhausted: 7,
  /** Delivery begins anew. */
  reset: 8,
  /** The stream was purged: so far nothing is left. */
  purged: 9,
} as const;

const FIRST_ROOM = 256;
/** A number takes at most so many bytes. */
const LONGEST = 8;

/** Writes changes one after the other. */
export class StateWriter {
  #bytes = new Uint8Array(FIRST_ROOM);
  #length = 0;

  /** How many bytes are written. */
  get length(): number {
    return this.#length;
  }

  /** Writes whole numbers that are not negative; the first of a change is its {@link CHANGE}. */
  put(one: number, two = -1, three = -1, four = -1, five = -1): void {
    if (this.#length + 5 * LONGEST > this.#bytes.length) this.#grow();
    this.#number(one);
    if (two >= 0) this.#number(two);
    if (three >= 0) this.#number(three);
    if (four >= 0) this.#number(four);
    if (five >= 0) this.#number(five);
  }

  /** What has been written; the next change begins anew. The array is valid until then. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #number(value: number): void {
    while (value > 0x7f) {
      const rest = Math.floor(value / 128);
      this.#bytes[this.#length++] = 128 + (value - rest * 128);
      value = rest;
    }
    this.#bytes[this.#length++] = value;
  }

  #grow(): void {
    const bytes = new Uint8Array(this.#bytes.length * 2);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}

/** Reads what a {@link StateWriter} has written. */
export class StateReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether there is more. */
  get more(): boolean {
    return this.#at < this.#bytes.length;
  }

  /** The next number. */
  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }
}
