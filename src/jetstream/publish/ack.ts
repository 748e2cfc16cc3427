import { quote } from "../../protocol/faults.ts";
import { escapeJson } from "../../protocol/go-format.ts";
import { encodeText } from "../../protocol/text.ts";
import type { ApiError } from "../errors.ts";

/** What an acknowledgement says besides the stream and the sequence. */
export interface AckDetails {
  readonly duplicate?: boolean;
  /** A counter's new count. */
  readonly value?: string;
  /** The batch that was committed, and how many messages it had. */
  readonly batch?: { readonly id: string; readonly count: number };
}

/** Writes acknowledgements of one stream, byte for byte as nats-server does. */
export class PubAckWriter {
  readonly #start: string;
  readonly #stream: string;

  /** @param domain - the server's; "" for none. */
  constructor(stream: string, domain: string) {
    this.#stream = stream;
    this.#start = `{"stream":${quote(stream)},${domain === "" ? "" : `"domain":${quote(domain)},`}"seq":`;
  }

  /** A message is stored: nearly every acknowledgement, as a text. */
  plain(seq: number): string {
    return `${this.#start}${seq}}`;
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
