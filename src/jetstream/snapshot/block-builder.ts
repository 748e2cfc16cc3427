import { EMPTY, encodeText } from "../../protocol/text.ts";
import { blockHash, CHECKSUM, ERASED, HAS_HEADERS, HEAD } from "./block-format.ts";
import type { HighwayHash } from "./highway-hash.ts";
import { halvesFromMs } from "./nanoseconds.ts";

/** Puts records together to a block, one block after the other. */
export class BlockBuilder {
  #buffer = new Uint8Array(64 * 1024);
  #length = 0;
  #hash: HighwayHash;
  readonly #stream: string;
  #index = 1;

  constructor(stream: string) {
    this.#stream = stream;
    this.#hash = blockHash(stream, this.#index);
  }

  /** The block's number, from 1 on. */
  get index(): number {
    return this.#index;
  }

  get length(): number {
    return this.#length;
  }

  /** The block as far as it goes; valid until the next change. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Begins with the next block. */
  next(): void {
    this.#length = 0;
    this.#hash = blockHash(this.#stream, ++this.#index);
  }

  message(
    seq: number,
    time: number,
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
  ): void {
    this.#add(seq, 0, time, encodeText(subject), headers, payload);
  }

  /** Says that a number was given out whose message is not there. */
  erased(seq: number, time: number): void {
    this.#add(seq, ERASED, time, EMPTY, undefined, EMPTY);
  }

  #add(
    seq: number,
    flag: number,
    time: number,
    subject: Uint8Array,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
  ): void {
    const extra = headers === undefined ? 0 : 4 + headers.length;
    const total = HEAD + subject.length + extra + payload.length + CHECKSUM;
    const record = this.#room(total);
    const view = new DataView(record.buffer, record.byteOffset, total);
    const [high, low] = halvesFromMs(time);
    view.setUint32(0, total + (headers === undefined ? 0 : HAS_HEADERS), true);
    view.setUint32(4, seq % 2 ** 32, true);
    view.setUint32(8, Math.floor(seq / 2 ** 32) + flag, true);
    view.setUint32(12, low, true);
    view.setInt32(16, high, true);
    view.setUint16(20, subject.length, true);
    record.set(subject, HEAD);
    let at = HEAD + subject.length;
    if (headers !== undefined) {
      view.setUint32(at, headers.length, true);
      record.set(headers, at + 4);
      at += 4 + headers.length;
    }
    record.set(payload, at);
    const hash = this.#hash;
    hash.reset();
    hash.update(record, 4, 20);
    hash.update(record, HEAD, HEAD + subject.length);
    hash.update(record, HEAD + subject.length + (headers === undefined ? 0 : 4), total - CHECKSUM);
    hash.digest(record, total - CHECKSUM);
  }

  #room(needed: number): Uint8Array {
    const end = this.#length + needed;
    if (end > this.#buffer.length) {
      const longer = new Uint8Array(Math.max(2 * this.#buffer.length, end));
      longer.set(this.bytes);
      this.#buffer = longer;
    }
    const record = this.#buffer.subarray(this.#length, end);
    this.#length = end;
    return record;
  }
}
