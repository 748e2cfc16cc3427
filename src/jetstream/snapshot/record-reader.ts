import { decodeText } from "../../protocol/text.ts";
import { blockHash, CHECKSUM, ERASED, HAS_HEADERS, HEAD, MAX_RECORD, REMOVED } from "./block-format.ts";
import { SnapshotError } from "./errors.ts";
import type { HighwayHash } from "./highway-hash.ts";
import { msFromHalves } from "./nanoseconds.ts";
import { PendingBytes } from "./pending-bytes.ts";

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

function damaged(what: string): SnapshotError {
  return new SnapshotError(`malformed or corrupt message: ${what}`);
}
