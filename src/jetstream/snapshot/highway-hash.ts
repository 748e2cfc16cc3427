/**
 * HighwayHash-64 (github.com/google/highwayhash), the checksum of nats-server's files. Numbers of 64 bits are two of 32 here: the lower
 * half of lane `i` at `2 * i`, the upper one behind it.
 */

const PACKET = 32;

/** The digits that a hash starts from, by halves: those of mul0, then those of mul1. */
const START = [
  0xfe4cce2f, 0xdbe6d5d5, 0x299f31d0, 0xa4093822, 0x03707344, 0x13198a2e, 0x85a308d3, 0x243f6a88, 0xcb0ef593,
  0x3bd39e10, 0xb5f18a8c, 0xc0acf169, 0x34e90c6c, 0xbe5466cf, 0x38d01377, 0x452821e6,
];

/** A hash with a key, for one text after the other. */
export class HighwayHash {
  readonly #key: Int32Array;
  readonly #v0 = new Int32Array(8);
  readonly #v1 = new Int32Array(8);
  readonly #mul0 = new Int32Array(8);
  readonly #mul1 = new Int32Array(8);
  readonly #lanes = new Int32Array(8);
  /** What is not yet a whole packet. */
  readonly #rest = new Uint8Array(PACKET);
  #held = 0;

  /** @param key - 32 bytes. */
  constructor(key: Uint8Array) {
    this.#key = new Int32Array(8);
    for (let i = 0; i < 8; i++) this.#key[i] = word(key, 4 * i);
    this.reset();
  }

  /** Starts anew. */
  reset(): void {
    this.#held = 0;
    for (let i = 0; i < 8; i++) {
      this.#mul0[i] = START[i];
      this.#mul1[i] = START[8 + i];
      this.#v0[i] = START[i] ^ this.#key[i];
      this.#v1[i] = START[8 + i] ^ this.#key[i ^ 1];
    }
  }

  /** Adds `bytes[start, end)`. */
  update(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    if (this.#held > 0) {
      const taken = Math.min(PACKET - this.#held, end - at);
      this.#rest.set(bytes.subarray(at, at + taken), this.#held);
      this.#held += taken;
      at += taken;
      if (this.#held < PACKET) return;
      this.#packet(this.#rest, 0);
      this.#held = 0;
    }
    for (; at + PACKET <= end; at += PACKET) this.#packet(bytes, at);
    if (at === end) return;
    this.#rest.set(bytes.subarray(at, end));
    this.#held = end - at;
  }

  /** Writes the hash of what was added since the start, 8 bytes, and ends it: {@link reset} comes before the next. */
  digest(into: Uint8Array, at: number): void {
    if (this.#held > 0) this.#lastPacket();
    const v0 = this.#v0;
    for (let round = 0; round < 4; round++) {
      // Lanes 2, 3, 0, 1, each with its halves changed over.
      for (let i = 0; i < 8; i++) this.#lanes[i] = v0[((i + 4) % 8) ^ 1];
      this.#update();
    }
    const low = (v0[0] >>> 0) + (this.#v1[0] >>> 0) + (this.#mul0[0] >>> 0) + (this.#mul1[0] >>> 0);
    const high = v0[1] + this.#v1[1] + this.#mul0[1] + this.#mul1[1] + Math.floor(low / 2 ** 32);
    const view = new DataView(into.buffer, into.byteOffset);
    view.setInt32(at, low, true);
    view.setInt32(at + 4, high, true);
  }

  #packet(bytes: Uint8Array, at: number): void {
    for (let i = 0; i < 8; i++) this.#lanes[i] = word(bytes, at + 4 * i);
    this.#update();
  }

  #lastPacket(): void {
    const size = this.#held;
    const rest = this.#rest;
    const whole = size & ~3;
    const odd = size & 3;
    for (let i = 0; i < 8; i += 2) {
      add(this.#v0, i, size, size);
      this.#v1[i] = rotateLeft(this.#v1[i], size);
      this.#v1[i + 1] = rotateLeft(this.#v1[i + 1], size);
    }
    const packet = new Uint8Array(PACKET);
    packet.set(rest.subarray(0, whole));
    if ((size & 16) !== 0) {
      packet.set(rest.subarray(size - 4, size), 28);
    } else if (odd !== 0) {
      packet[16] = rest[whole];
      packet[17] = rest[whole + (odd >> 1)];
      packet[18] = rest[whole + odd - 1];
    }
    this.#packet(packet, 0);
  }

  #update(): void {
    const v0 = this.#v0;
    const v1 = this.#v1;
    const mul0 = this.#mul0;
    const mul1 = this.#mul1;
    const lanes = this.#lanes;
    for (let i = 0; i < 8; i += 2) {
      add(v1, i, mul0[i], mul0[i + 1]);
      add(v1, i, lanes[i], lanes[i + 1]);
      multiplyInto(mul0, i, v1[i], v0[i + 1]);
      add(v0, i, mul1[i], mul1[i + 1]);
      multiplyInto(mul1, i, v0[i], v1[i + 1]);
    }
    merge(v0, 0, v1);
    merge(v0, 4, v1);
    merge(v1, 0, v0);
    merge(v1, 4, v0);
  }
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function rotateLeft(half: number, by: number): number {
  return (half << by) | (half >>> (32 - by));
}

function add(to: Int32Array, i: number, low: number, high: number): void {
  const sum = (to[i] + low) | 0;
  to[i + 1] = to[i + 1] + high + (sum >>> 0 < low >>> 0 ? 1 : 0);
  to[i] = sum;
}

/** Exclusive-ors the product of two numbers of 32 bits into a lane. */
function multiplyInto(to: Int32Array, i: number, a: number, b: number): void {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = Math.imul(aLow, bLow) >>> 0;
  // Each sum stays below 2^33, so a number holds it exactly.
  const first = (Math.imul(aHigh, bLow) >>> 0) + (low >>> 16);
  const second = (Math.imul(aLow, bHigh) >>> 0) + (first & 0xffff);
  const carry = Math.floor(first / 0x10000) + Math.floor(second / 0x10000);
  to[i] ^= Math.imul(a, b);
  to[i + 1] ^= (Math.imul(aHigh, bHigh) >>> 0) + carry;
}

/** Adds to two lanes (at `i` and `i + 2`) the bytes of two others in the order that the hash has them in ("zipper merge"). */
function merge(to: Int32Array, i: number, from: Int32Array): void {
  const a = from[i];
  const b = from[i + 1];
  const c = from[i + 2];
  const d = from[i + 3];
  add(
    to,
    i,
    (a >>> 24) | ((d & 0xff) << 8) | (a & 0xff0000) | ((b & 0xff00) << 16),
    ((d >>> 16) & 0xff) | (a & 0xff00) | ((d >>> 24) << 16) | (a << 24),
  );
  add(
    to,
    i + 2,
    (c >>> 24) | ((b & 0xff) << 8) | (c & 0xff0000) | ((d & 0xff00) << 16),
    ((c >>> 8) & 0xff) | ((b >>> 8) & 0xff00) | ((c & 0xff) << 16) | (b & 0xff000000),
  );
}
