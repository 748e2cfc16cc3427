/**
 * Takes a message, whose payload is `bytes[start, end)`.
 * @param reply - the reply subject; "" for none.
 * @param status - whether it has headers and no payload.
 */
export type OnMessage = (reply: string, status: boolean, bytes: Buffer, start: number, end: number) => void;

const SPACE = 0x20;
const ZERO = 0x30;

/** Finds the messages in what a server sends. */
export class LineReader {
  #rest: Buffer | undefined;
  readonly #onMessage: OnMessage;

  constructor(onMessage: OnMessage) {
    this.#onMessage = onMessage;
  }

  /** Takes the next bytes. */
  read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const end = bytes.indexOf("\r\n", at);
      if (end < 0) break;
      const first = bytes[at];
      // "MSG" or "HMSG"; all else is a line without anything after it.
      if (first !== 0x4d && first !== 0x48) {
        at = end + 2;
        continue;
      }
      // The numbers at the end of the line, and what stands before them.
      let digit = end - 1;
      let size = 0;
      for (let unit = 1; bytes[digit] !== SPACE; unit *= 10) size += (bytes[digit--] - ZERO) * unit;
      let headers = 0;
      if (first === 0x48) {
        digit -= 1;
        for (let unit = 1; bytes[digit] !== SPACE; unit *= 10) headers += (bytes[digit--] - ZERO) * unit;
      }
      const next = end + 2 + size + 2;
      if (next > bytes.length) break;
      let replyStart = digit;
      while (bytes[replyStart - 1] !== SPACE) replyStart -= 1;
      // Without a reply subject, this is the subscription's id.
      const reply = digit - replyStart > 4 ? bytes.toString("latin1", replyStart, digit) : "";
      this.#onMessage(reply, headers > 0 && headers === size, bytes, end + 2 + headers, end + 2 + size);
      at = next;
    }
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at);
  }
}
