import { decodeText, encodeText } from "../../protocol/text.ts";
import { SnapshotError } from "./errors.ts";
import type { HighwayHash } from "./highway-hash.ts";
import { hashFor } from "./meta.ts";
import { halvesFromMs, msFromHalves } from "./nanoseconds.ts";
import { PendingBytes } from "./pending-bytes.ts";

/**
 * The records of nats-server's message blocks, all numbers little-endian:
 *
 *     total length (4; top bit: has headers) | sequence (8) | time in ns (8) | length of subject (2) |
 *     subject | [length of headers (4) | headers] | payload | checksum (8)
 *
 * The checksum is of the sequence, the time, the subject, headers and payload, with a key made from the stream's name and the block's number.
 * A set top bit of the sequence says that the message was erased; the bit below that it is removed, wherever it was.
 */

const HEAD = 22;
const CHECKSUM = 8;
const HAS_HEADERS = 2 ** 31;
const ERASED = 2 ** 31;
const REMOVED = 2 ** 30;

/** No record is longer (nats-server takes longer ones for damage). */
const MAX_RECORD = 32 * 1024 * 1024;

/** A block's hash: the key is made from the stream's name and the block's number. */
function blockHash(stream: string, index: number): HighwayHash {
  return hashFor(`${stream}-${index}`);
}

/** Takes the records of a block. */
export interface RecordSink {
  message(
    seq: number,
    time: number,
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
  ): void;
  /** The number was given out; its message was erased, or never there. */
  erased(seq: number): void;
  /** The message with this number, which came before, is removed. */
  removed(seq: number): void;
}

/** Reads the records of one block as they come in. */
export class RecordReader {
  readonly #pending = new PendingBytes();
  readonly #hash: HighwayHash;
  readonly #sink: RecordSink;
  readonly #sum = new Uint8Array(CHECKSUM);

  constructor(stream: string, index: number, sink: RecordSink) {
    this.#hash = blockHash(stream, index);
    this.#sink = sink;
  }

  /** The checksum of the last record. */
  get lastSum(): Uint8Array {
    return this.#sum;
  }

  /** @throws SnapshotError */
  push(bytes: Uint8Array): void {
    const pending = this.#pending;
    pending.push(bytes);
    for (;;) {
      const head = pending.peek(HEAD);
      if (head === undefined) return;
      const length = (head[0] | (head[1] << 8) | (head[2] << 16) | ((head[3] & 0x7f) << 24)) >>> 0;
      if (length < HEAD + CHECKSUM || length > MAX_RECORD) throw damaged("sanity check failed");
      const record = pending.take(length);
      if (record === undefined) return;
      this.#record(record);
    }
  }

  /** @throws SnapshotError when the block ends within a record. */
  end(): void {
    if (this.#pending.length > 0) throw damaged("message overrun");
  }

  #record(record: Uint8Array): void {
    const view = new DataView(record.buffer, record.byteOffset, record.length);
    const hasHeaders = view.getUint32(0, true) >= HAS_HEADERS;
    const subjectEnd = HEAD + view.getUint16(20, true);
    const end = record.length - CHECKSUM;
    const start = subjectEnd + (hasHeaders ? 4 : 0);
    if (start > end) throw damaged("sanity check failed");
    this.#check(record, subjectEnd, start, end);
    const high = view.getUint32(8, true);
    const seq = (high % REMOVED) * 2 ** 32 + view.getUint32(4, true);
    if (!Number.isSafeInteger(seq)) throw damaged("invalid sequence");
    if ((high & REMOVED) !== 0) this.#sink.removed(seq);
    else if (high >= ERASED) this.#sink.erased(seq);
    else if (seq > 0) this.#message(record, seq, subjectEnd, start, end, hasHeaders);
  }

  #message(
    record: Uint8Array,
    seq: number,
    subjectEnd: number,
    start: number,
    end: number,
    hasHeaders: boolean,
  ): void {
    const view = new DataView(record.buffer, record.byteOffset, record.length);
    const headersEnd = hasHeaders ? start + view.getUint32(subjectEnd, true) : start;
    if (headersEnd > end) throw damaged("invalid message length");
    this.#sink.message(
      seq,
      msFromHalves(view.getInt32(16, true), view.getUint32(12, true)),
      decodeText(record, HEAD, subjectEnd),
      hasHeaders && headersEnd > start ? record.subarray(start, headersEnd) : undefined,
      record.subarray(headersEnd, end),
    );
  }

  #check(record: Uint8Array, subjectEnd: number, start: number, end: number): void {
    const hash = this.#hash;
    hash.reset();
    hash.update(record, 4, 20);
    hash.update(record, HEAD, subjectEnd);
    hash.update(record, start, end);
    hash.digest(this.#sum, 0);
    for (let i = 0; i < CHECKSUM; i++) {
      if (record[end + i] !== this.#sum[i]) throw damaged("invalid checksum");
    }
  }
}

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
    this.#add(seq, ERASED, time, NOTHING, undefined, NOTHING);
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

const NOTHING = new Uint8Array(0);

function damaged(what: string): SnapshotError {
  return new SnapshotError(`malformed or corrupt message: ${what}`);
}
