/** A message that was found in `bytes`, until the next one is. */
export interface FoundMessage {
  readonly bytes: Buffer;
  /** Where the reply subject is, or without one, the subscription's id. */
  readonly replyStart: number;
  readonly replyEnd: number;
  /** Whether it has headers and no payload. */
  readonly status: boolean;
  /** Where the payload is. */
  readonly start: number;
  readonly end: number;
}

const CR = 0x0d;
const SPACE = 0x20;
const ZERO = 0x30;

/** Finds the messages in what a server sends. */
export class LineReader implements FoundMessage {
  bytes: Buffer = Buffer.alloc(0);
  replyStart = 0;
  replyEnd = 0;
  status = false;
  start = 0;
  end = 0;
  #rest: Buffer | undefined;
  readonly #onMessage: (message: FoundMessage) => void;

  constructor(onMessage: (message: FoundMessage) => void) {
    this.#onMessage = onMessage;
  }

  /** Takes the next bytes. */
  read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.bytes = bytes;
    let at = 0;
    for (;;) {
      let end = at;
      while (end < bytes.length && bytes[end] !== CR) end += 1;
      if (end + 1 >= bytes.length) break;
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
      this.replyEnd = digit;
      while (bytes[digit - 1] !== SPACE) digit -= 1;
      this.replyStart = digit;
      this.status = headers > 0 && headers === size;
      this.start = end + 2 + headers;
      this.end = end + 2 + size;
      this.#onMessage(this);
      at = next;
    }
    this.#rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at));
  }
}
