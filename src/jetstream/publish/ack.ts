import { decimalLength, writeDecimal } from "../../protocol/bytes.ts";
import { quote } from "../../protocol/faults.ts";
import { escapeJson } from "../../protocol/go-format.ts";
import { EMPTY, encodeText } from "../../protocol/text.ts";
import type { ApiError } from "../errors.ts";

/** What an acknowledgement says besides the stream and the sequence. */
export interface AckDetails {
  readonly duplicate?: boolean;
  /** A counter's new count. */
  readonly value?: string;
  /** The batch that was committed, and how many messages it had. */
  readonly batch?: { readonly id: string; readonly count: number | bigint };
}

const CLOSING_BRACE = 0x7d;

/** Writes acknowledgements of one stream, byte for byte as nats-server does. */
export class PubAckWriter {
  readonly #start: string;
  readonly #startBytes: Uint8Array;
  readonly #stream: string;
  #plain = EMPTY;

  /** @param domain - the server's; "" for none. */
  constructor(stream: string, domain: string) {
    this.#stream = stream;
    this.#start = `{"stream":${quote(stream)},${domain === "" ? "" : `"domain":${quote(domain)},`}"seq":`;
    this.#startBytes = encodeText(this.#start);
  }

  /** A message is stored: nearly every acknowledgement. The array is used again for the next one. */
  plain(seq: number): Uint8Array {
    const from = this.#startBytes;
    const length = from.length + decimalLength(seq) + 1;
    if (this.#plain.length !== length) {
      this.#plain = new Uint8Array(length);
      this.#plain.set(from);
      this.#plain[length - 1] = CLOSING_BRACE;
    }
    writeDecimal(seq, this.#plain, from.length);
    return this.#plain;
  }

  /** A message is stored, or was before. */
  stored(seq: number, details: AckDetails = {}): Uint8Array {
    const { duplicate, value, batch } = details;
    let out = this.#start + seq;
    if (duplicate === true) out += ',"duplicate": true';
    if (batch !== undefined) out += `,"batch":${quote(batch.id)},"count":${batch.count}`;
    else if (value !== undefined) out += `,"val":${quote(value)}`;
    return encodeText(`${out}}`);
  }

  /** A message is refused. */
  refused(error: ApiError): Uint8Array {
    return encodeText(
      escapeJson(`{"error":${JSON.stringify(error)},"stream":${JSON.stringify(this.#stream)},"seq":0}`),
    );
  }
}
