import { ascii, copyBytes, writeDecimal } from "../../protocol/bytes.ts";
import { EMPTY, encodeText, writeText } from "../../protocol/text.ts";
import type { StoredMessage } from "../../storage/store.ts";
import { TimestampWriter } from "../json/timestamps.ts";

const FIRST_LINE = ascii("NATS/1.0\r\n");
const SEQUENCE = ascii("\r\nNats-Sequence: ");
const TIME = ascii("\r\nNats-Time-Stamp: ");
const PENDING = ascii("Nats-Num-Pending: ");
const LAST = ascii("\r\nNats-Last-Sequence: ");
const END = ascii("\r\n");
/** Room for all but the stream's name, the subject, the message's own headers and its payload. */
const FIXED_BYTES = 256;
/** An array of up to this many bytes is used for the next message again. */
const KEPT_BYTES = 64 * 1024;

/** Where a message stands in a batch: how many are left, and the sequence of the one before (0 for the first). */
export interface InBatch {
  readonly pending: number;
  readonly lastSeq: number;
}

/** Writes messages as direct gets give them: the stored one with headers that say where it is from (behaviour.md D.9). */
export class DirectMessageWriter {
  /** What was written last: headers in `[0, body)`, the payload in `[body, end)`. It lasts until the next is written. */
  bytes = EMPTY;
  body = 0;
  end = 0;
  readonly #from: Uint8Array;
  readonly #times = new TimestampWriter();

  constructor(stream: string) {
    this.#from = encodeText(`Nats-Stream: ${stream}\r\nNats-Subject: `);
  }

  /** Writes a message. @param batch - undefined for one that was asked for alone. */
  write({ subject, seq, time, headers, payload }: StoredMessage, batch: InBatch | undefined): void {
    const own = headers === undefined || headers.length <= END.length ? FIRST_LINE : headers;
    const ownEnd = own === FIRST_LINE ? own.length : own.length - END.length;
    const bytes = this.#room(FIXED_BYTES + this.#from.length + subject.length * 3 + ownEnd + payload.length);
    copyBytes(own, 0, ownEnd, bytes, 0);
    let at = put(this.#from, bytes, ownEnd);
    at = writeText(subject, bytes, at);
    at = put(SEQUENCE, bytes, at);
    at = writeDecimal(seq, bytes, at);
    at = put(TIME, bytes, at);
    at = put(END, bytes, this.#times.write(time, bytes, at));
    if (batch !== undefined) {
      at = writeDecimal(batch.pending, bytes, put(PENDING, bytes, at));
      at = writeDecimal(batch.lastSeq, bytes, put(LAST, bytes, at));
      at = put(END, bytes, at);
    }
    this.body = put(END, bytes, at);
    this.end = put(payload, bytes, this.body);
  }

  #room(bytes: number): Uint8Array {
    if (this.bytes.length < bytes || this.bytes.length > KEPT_BYTES)
      this.bytes = new Uint8Array(Math.max(1024, bytes));
    return this.bytes;
  }
}

function put(source: Uint8Array, target: Uint8Array, at: number): number {
  copyBytes(source, 0, source.length, target, at);
  return at + source.length;
}
