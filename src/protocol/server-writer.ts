import { ascii, copyBytes, writeDecimal } from "./bytes.ts";
import { infoLine, type ServerInfo } from "./info.ts";
import type { Message } from "./message.ts";
import type { Outbox } from "./outbox.ts";
import { encodePayload, encodeText, writeText } from "./text.ts";
import type { ServerVerbs, SubscriptionRef } from "./verbs.ts";

const OK = ascii("+OK\r\n");
const PING = ascii("PING\r\n");
const PONG = ascii("PONG\r\n");
const H = 72;
const M = 77;
const S = 83;
const G = 71;
const SPACE = 32;
const CR = 13;
const LF = 10;

/** `HMSG` and its spaces, two sizes, line ends: what a control line has beyond subject, sid and reply. */
const FIXED_BYTES = 48;

/** Headers and payload up to this size are written in one go; a text character by character, which costs less than an array of its own. */
const SHORT_BYTES = 512;

/** Turns what a server says into bytes. */
export class ServerVerbWriter implements ServerVerbs {
  readonly #out: Outbox;
  /** Whether the client takes headers; they are left out for one that does not. */
  headers = false;
  /** The last subject in the value form, and its bytes once it has come twice. */
  #subjectText = "";
  #subjectBytes: Uint8Array | undefined;

  constructor(out: Outbox) {
    this.#out = out;
  }

  info(info: ServerInfo): void {
    this.#line(encodeText(infoLine(info)));
  }

  ok(): void {
    this.#line(OK);
  }

  err(text: string): void {
    this.#line(encodeText(`-ERR '${text}'\r\n`));
  }

  ping(): void {
    this.#line(PING);
  }

  pong(): void {
    this.#line(PONG);
  }

  #line(bytes: Uint8Array): void {
    this.#out.append(bytes, 0, bytes.length);
  }

  msg(to: SubscriptionRef, message: Message): void {
    if (message.onWire) this.#fromWire(to, message);
    else this.#fromValue(to, message);
  }

  #fromWire(to: SubscriptionRef, message: Message): void {
    const out = this.#out;
    const { bytes, subjectBytes, subjectStart, subjectEnd, tailStart, hasHeaders } = message;
    const sid = typeof to.sid === "string" ? to.sid : String(to.sid);
    // When headers must be left out, or the publisher spelled its line in another way, the line is written part by part.
    const asRun = tailStart >= 0 && (!hasHeaders || this.headers);
    const tailEnd = message.end + 2;
    let head = FIXED_BYTES + (subjectEnd - subjectStart) + sid.length * 3;
    if (!asRun) head += message.replyEnd - message.replyStart;
    // A message goes into one array: a large one split over two would take two writes.
    const run = asRun ? tailEnd - tailStart : 0;
    const target = out.room(head + run);
    let at = out.length;
    if (hasHeaders && this.headers) target[at++] = H;
    target[at] = M;
    target[at + 1] = S;
    target[at + 2] = G;
    target[at + 3] = SPACE;
    at += 4;
    copyBytes(subjectBytes, subjectStart, subjectEnd, target, at);
    at += subjectEnd - subjectStart;
    target[at++] = SPACE;
    at = writeText(sid, target, at);
    target[at++] = SPACE;
    if (asRun) {
      copyBytes(bytes, tailStart, tailEnd, target, at);
      out.length = at + run;
      return;
    }
    if (message.hasReply) {
      copyBytes(bytes, message.replyStart, message.replyEnd, target, at);
      at += message.replyEnd - message.replyStart;
      target[at++] = SPACE;
    }
    let from = message.start;
    if (hasHeaders && !this.headers) {
      from = message.body;
      at = writeDecimal(message.end - from, target, at);
    } else {
      if (hasHeaders) {
        copyBytes(bytes, message.headerTextStart, message.headerTextEnd, target, at);
        at += message.headerTextEnd - message.headerTextStart;
        target[at++] = SPACE;
      }
      copyBytes(bytes, message.sizeTextStart, message.sizeTextEnd, target, at);
      at += message.sizeTextEnd - message.sizeTextStart;
    }
    target[at++] = CR;
    target[at++] = LF;
    out.length = at;
    out.append(bytes, from, tailEnd);
  }

  #fromValue(to: SubscriptionRef, message: Message): void {
    const out = this.#out;
    const { subject, replyWriter } = message;
    const reply = replyWriter === undefined ? message.reply : "";
    const replyBytes = replyWriter === undefined ? reply.length * 3 : replyWriter.length;
    const sid = typeof to.sid === "string" ? to.sid : String(to.sid);
    const withHeaders = message.hasHeaders && this.headers;
    const from = withHeaders ? message.start : message.body;
    const text = message.text;
    const size = message.end - from + (text === undefined ? 0 : text.length);
    // What is short goes into one array with the line; what is long may be divided.
    const whole = size <= SHORT_BYTES && (text === undefined || message.end === from);
    const line = FIXED_BYTES + (subject.length + sid.length) * 3 + replyBytes;
    const target = out.room(line + (whole ? size : 0));
    let at = out.length;
    if (withHeaders) target[at++] = H;
    target[at] = M;
    target[at + 1] = S;
    target[at + 2] = G;
    target[at + 3] = SPACE;
    at += 4;
    at = this.#writeSubject(subject, target, at);
    target[at++] = SPACE;
    at = writeText(sid, target, at);
    target[at++] = SPACE;
    if (replyBytes > 0) {
      at = replyWriter === undefined ? writeText(reply, target, at) : replyWriter.write(target, at);
      target[at++] = SPACE;
    }
    if (withHeaders) {
      at = writeDecimal(message.headerSize, target, at);
      target[at++] = SPACE;
    }
    at = writeDecimal(size, target, at);
    target[at++] = CR;
    target[at++] = LF;
    if (whole) {
      if (text !== undefined) at = writeText(text, target, at);
      else {
        copyBytes(message.bytes, from, message.end, target, at);
        at += size;
      }
      target[at++] = CR;
      target[at++] = LF;
      out.length = at;
      return;
    }
    out.length = at;
    if (message.end > from) out.append(message.bytes, from, message.end);
    if (text !== undefined) {
      const payload = encodePayload(text);
      out.append(payload, 0, payload.length);
    }
    out.append(CRLF, 0, 2);
  }

  /** A publisher in process mostly stays with one subject, a consumer's messages mostly do not. */
  #writeSubject(subject: string, target: Uint8Array, at: number): number {
    if (subject !== this.#subjectText) {
      this.#subjectText = subject;
      this.#subjectBytes = undefined;
      return writeText(subject, target, at);
    }
    this.#subjectBytes ??= encodeText(subject);
    const { length } = this.#subjectBytes;
    copyBytes(this.#subjectBytes, 0, length, target, at);
    return at + length;
  }
}

const CRLF = ascii("\r\n");
