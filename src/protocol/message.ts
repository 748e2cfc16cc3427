import { hashBytes } from "./hash.ts";
import type { Slab } from "./slab.ts";
import { decodeText, EMPTY, encodePayload, encodeText, isAscii } from "./text.ts";

/** Headers and payloads of so many bytes are joined in an array that is used again. */
const JOINED_MAX = 64 * 1024;

/** A subject in the forms that a message has it in. */
export class EncodedSubject {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly hash: number;

  constructor(text: string) {
    this.text = text;
    this.bytes = encodeText(text);
    this.hash = hashBytes(this.bytes);
  }
}

/** A reply subject that is made anew for each message: it is written as bytes, and is a text only for those who ask for one. */
export interface ReplyWriter {
  /** How many bytes it has. */
  readonly length: number;
  readonly text: string;
  /** Writes it at `at`; the room must be there. Returns the position after it. */
  write(target: Uint8Array, at: number): number;
}

/**
 * One message on its way: what `PUB`/`HPUB` and `MSG`/`HMSG` carry. Each link has one and fills it again for every
 * message, so whoever wants to keep something of it copies that before the call returns ({@link keep}).
 *
 * A message comes in one of two forms, and each reader of it takes the form it finds:
 *
 *     wire   bytes:  ... PUB <subject> <reply> <size> CR LF <headers><payload> CR LF ...
 *                        |    subject   |             |    |         |        |
 *                        |              tailStart     |    start     body      end       (positions in `bytes`)
 *
 *     value  subject and reply are strings, headers are bytes, the payload is bytes or a string
 */
export class Message {
  /** The subject's text; in the wire form only once a reader has asked for it or the router has set it. */
  subject = "";
  /** Wire form only: the subject is `subjectBytes[subjectStart, subjectEnd)` and this is its hash ({@link HASH_SEED}). */
  subjectBytes: Uint8Array = EMPTY;
  subjectStart = 0;
  subjectEnd = 0;
  subjectHash = 0;

  /** Whether there is a reply subject. */
  hasReply = false;
  /** Wire form only: the reply subject is `bytes[replyStart, replyEnd)`. */
  replyStart = 0;
  replyEnd = 0;
  /** Value form: what writes the reply subject; undefined when it is a text. */
  replyWriter: ReplyWriter | undefined;
  #reply: string | undefined;

  /** Wire form: the bytes that hold all of the message. Value form: what holds headers and payload, if they are bytes. */
  bytes: Uint8Array = EMPTY;
  /** Whether this is the wire form. */
  onWire = false;
  /**
   * Wire form only: from here to `end + 2` the bytes are `[<reply> ][<header size> ]<size>CRLF<headers><payload>CRLF` in the one
   * spelling that the server itself uses, so that they can be handed on as one run; -1 when spelled otherwise.
   */
  tailStart = -1;
  /** Where the header block begins (and the payload, when there is none). */
  start = 0;
  /** Where the payload begins. */
  body = 0;
  /** Where the payload ends. */
  end = 0;
  /** The bytes of headers and payload together. */
  size = 0;
  /** Whether there is a header block: `body > start`. A header block of 0 bytes counts as none, as in nats-server. */
  hasHeaders = false;
  /** Wire form only: the sizes as the publisher spelled them, which is how they are handed on. */
  headerTextStart = 0;
  headerTextEnd = 0;
  sizeTextStart = 0;
  sizeTextEnd = 0;

  /** Value form: the payload when it was given as an ASCII string (then `body === end`). */
  text: string | undefined;

  readonly #slab: Slab;
  /** What headers and a payload were joined in last. */
  #joined: Uint8Array = EMPTY;
  #kept = false;
  /** After {@link keep}: where the lasting copy of `[start, end)` is. */
  keptBytes: Uint8Array = EMPTY;
  keptStart = 0;

  /** @param slab - where lasting copies go; messages of one server or client share one. */
  constructor(slab: Slab) {
    this.#slab = slab;
  }

  /** The subject's text as it stands in the message: unlike {@link subject}, it is there in both forms. */
  get subjectText(): string {
    return this.onWire ? decodeText(this.subjectBytes, this.subjectStart, this.subjectEnd) : this.subject;
  }

  /** The bytes of the header block, 0 without one. */
  get headerSize(): number {
    return this.body - this.start;
  }

  /** The reply subject's text, "" without one. */
  get reply(): string {
    if (!this.hasReply) return "";
    this.#reply ??= this.replyWriter?.text ?? decodeText(this.bytes, this.replyStart, this.replyEnd);
    return this.#reply;
  }

  /** Fills the value form. A string that is not ASCII is encoded here; nothing else is copied. */
  setValue(
    subject: string,
    reply: string | ReplyWriter | undefined,
    headers: Uint8Array | undefined,
    payload: Uint8Array | string,
  ): void {
    this.onWire = false;
    this.#kept = false;
    this.subject = subject;
    this.hasReply = reply !== undefined && reply !== "";
    if (typeof reply === "object") {
      this.replyWriter = reply;
      this.#reply = undefined;
    } else {
      this.replyWriter = undefined;
      this.#reply = reply;
    }
    let body: Uint8Array;
    if (typeof payload !== "string") {
      this.text = undefined;
      body = payload;
    } else if (isAscii(payload)) {
      this.text = payload;
      body = EMPTY;
    } else {
      this.text = undefined;
      body = encodePayload(payload);
    }
    if (headers === undefined || headers.length === 0) {
      this.hasHeaders = false;
      this.bytes = body;
      this.start = this.body = 0;
      this.end = body.length;
      this.size = this.text === undefined ? this.end : this.text.length;
      return;
    }
    this.hasHeaders = true;
    this.start = 0;
    this.body = headers.length;
    this.end = headers.length + body.length;
    this.size = this.end + (this.text === undefined ? 0 : this.text.length);
    if (body.length === 0) {
      this.bytes = headers;
    } else {
      this.bytes = this.#room(this.end);
      this.bytes.set(headers);
      this.bytes.set(body, headers.length);
    }
  }

  /** So many bytes, of which whoever wants them later makes a copy: arrays are expensive to make and to clear away. */
  #room(bytes: number): Uint8Array {
    if (bytes > JOINED_MAX) return new Uint8Array(bytes);
    if (this.#joined.length < bytes) this.#joined = new Uint8Array(Math.min(JOINED_MAX, 2 * bytes));
    return this.#joined;
  }

  /** Fills the value form with headers `bytes[0, body)` (none when that is empty) and a payload `bytes[body, end)`. There is no reply subject. */
  setBlock(subject: string, bytes: Uint8Array, body: number, end: number): void {
    this.onWire = false;
    this.#kept = false;
    this.subject = subject;
    this.hasReply = false;
    this.replyWriter = undefined;
    this.#reply = undefined;
    this.text = undefined;
    this.hasHeaders = body > 0;
    this.bytes = bytes;
    this.start = 0;
    this.body = body;
    this.end = end;
    this.size = end;
  }

  /** Begins the wire form: the reader then fills the positions. */
  setWire(bytes: Uint8Array): void {
    this.onWire = true;
    this.#kept = false;
    this.#reply = undefined;
    this.text = undefined;
    this.bytes = bytes;
    this.subjectBytes = bytes;
  }

  /** Changes the subject, in either form; all else stays. */
  setSubject(subject: EncodedSubject): void {
    this.subject = subject.text;
    if (!this.onWire) return;
    this.subjectBytes = subject.bytes;
    this.subjectStart = 0;
    this.subjectEnd = subject.bytes.length;
    this.subjectHash = subject.hash;
  }

  /** Makes a lasting copy of headers and payload, once however many ask: `keptBytes` from `keptStart`. */
  keep(): void {
    if (this.#kept) return;
    this.#kept = true;
    if (this.end === this.start) {
      this.keptBytes = EMPTY;
      this.keptStart = 0;
      return;
    }
    this.#slab.keep(this.bytes, this.start, this.end);
    this.keptBytes = this.#slab.bytes;
    this.keptStart = this.#slab.at;
  }
}
