import { halvesFromMs, msFromHalves } from "./nanoseconds.ts";

/**
 * Numbers of variable length, as Go's encoding/binary writes them: seven bits a byte, the lowest first, the top bit where more follow. Signed ones have their sign in
 * the lowest bit.
 */

/** No number of 64 bits is longer. */
export const MAX_VARINT = 10;

const GROUP = 2 ** 28;

/** Reads numbers one after the other. After the end, or what is no number, {@link failed} is set and all are 0. */
export class VarintReader {
  readonly #bytes: Uint8Array;
  at: number;
  failed = false;
  /** The last number: its lowest 28 bits, and the others. */
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** A number without a sign; beyond 2^53 the nearest there is. */
  unsigned(): number {
    this.#read();
    return this.#high * GROUP + this.#low;
  }

  /** A number with a sign. */
  signed(): number {
    const number = this.unsigned();
    return (this.#low & 1) === 0 ? number / 2 : -(number + 1) / 2;
  }

  /** A moment in nanoseconds, as ms. */
  time(): number {
    this.#read();
    if ((this.#low & 1) === 1) return 0;
    // Half of the number, in halves of 32 bits.
    const low = (this.#high & 0x1f) * (GROUP / 2) + this.#low / 2;
    return msFromHalves(Math.floor(this.#high / 32), low);
  }

  /** Bytes as they are; none after the end. */
  bytes(length: number): Uint8Array {
    if (this.failed || length > this.#bytes.length - this.at) {
      this.failed = true;
      return this.#bytes.subarray(0, 0);
    }
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  #read(): void {
    this.#low = 0;
    this.#high = 0;
    if (this.failed) return;
    for (let i = 0; i < MAX_VARINT; i++) {
      if (this.at >= this.#bytes.length) break;
      const byte = this.#bytes[this.at++];
      if (i < 4) this.#low += (byte & 0x7f) * 2 ** (7 * i);
      else this.#high += (byte & 0x7f) * 2 ** (7 * (i - 4));
      if (byte < 0x80) {
        // The tenth byte has one bit left.
        if (i === MAX_VARINT - 1 && byte > 1) break;
        return;
      }
    }
    this.failed = true;
    this.#low = 0;
    this.#high = 0;
  }
}

/** Writes numbers one after the other into bytes that grow. */
export class VarintWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** What was written; valid until the next change. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  unsigned(value: number): void {
    this.#room(MAX_VARINT);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  signed(value: number): void {
    this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** A moment, given in ms and not before 1970, in nanoseconds. */
  time(ms: number): void {
    const [high, low] = halvesFromMs(ms);
    // Twice the number, in groups of seven bits: the lowest 28 bits, and the others.
    const doubled = low * 2;
    const lowest = doubled % GROUP;
    const others = Math.floor(doubled / GROUP) + high * 32;
    this.#room(MAX_VARINT);
    if (others === 0) {
      this.unsigned(lowest);
      return;
    }
    for (let i = 0; i < 4; i++) this.#bytes[this.#length++] = ((lowest >>> (7 * i)) & 0x7f) | 0x80;
    this.unsigned(others);
  }

  append(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #room(needed: number): void {
    if (this.#length + needed <= this.#bytes.length) return;
    const longer = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + needed));
    longer.set(this.bytes);
    this.#bytes = longer;
  }
}
