import { ascii, copyBytes, writeDecimal } from "./bytes.ts";
import type { ConnectOptions } from "./connect-options.ts";
import type { Message } from "./message.ts";
import type { Outbox } from "./outbox.ts";
import { encodePayload, encodeText } from "./text.ts";
import type { ClientVerbs, Sid } from "./verbs.ts";

const PING = ascii("PING\r\n");
const PONG = ascii("PONG\r\n");
const CRLF = ascii("\r\n");
const SPACE = 32;
const CR = 13;
const LF = 10;

/** `HPUB`, its spaces, two sizes and the line end. */
const FIXED_BYTES = 40;

/** Turns what a client says into bytes. */
export class ClientVerbWriter implements ClientVerbs {
  readonly #out: Outbox;
  #subjectText = "";
  #subjectBytes: Uint8Array = encodeText("");

  constructor(out: Outbox) {
    this.#out = out;
  }

  connect(options: Partial<ConnectOptions>): void {
    this.#line(encodeText(`CONNECT ${JSON.stringify(options)}\r\n`));
  }

  sub(subject: string, queue: string | undefined, sid: Sid): void {
    this.#line(
      encodeText(queue === undefined ? `SUB ${subject} ${sid}\r\n` : `SUB ${subject} ${queue} ${sid}\r\n`),
    );
  }

  unsub(sid: Sid, max: number | undefined): void {
    this.#line(encodeText(max === undefined ? `UNSUB ${sid}\r\n` : `UNSUB ${sid} ${max}\r\n`));
  }

  ping(): void {
    this.#line(PING);
  }

  pong(): void {
    this.#line(PONG);
  }

  /** Only the value form: a client's own messages. */
  pub(message: Message): void {
    const out = this.#out;
    const subject = this.#bytesOf(message.subject);
    const reply = message.hasReply ? encodeText(message.reply) : undefined;
    const { text, hasHeaders } = message;
    const inline = text !== undefined && text.length <= INLINE_TEXT ? text.length : 0;
    const target = out.room(FIXED_BYTES + subject.length + (reply === undefined ? 0 : reply.length) + inline);
    let at = out.length;
    if (hasHeaders) target[at++] = 72;
    target[at] = 80;
    target[at + 1] = 85;
    target[at + 2] = 66;
    target[at + 3] = SPACE;
    at += 4;
    copyBytes(subject, 0, subject.length, target, at);
    at += subject.length;
    target[at++] = SPACE;
    if (reply !== undefined) {
      copyBytes(reply, 0, reply.length, target, at);
      at += reply.length;
      target[at++] = SPACE;
    }
    if (hasHeaders) {
      at = writeDecimal(message.headerSize, target, at);
      target[at++] = SPACE;
    }
    at = writeDecimal(message.size, target, at);
    target[at++] = CR;
    target[at++] = LF;
    out.length = at;
    if (message.end > message.start) out.append(message.bytes, message.start, message.end);
    if (text !== undefined) {
      if (inline > 0 && message.end === message.start) {
        for (let i = 0; i < inline; i++) target[at++] = text.charCodeAt(i);
        out.length = at;
      } else {
        const payload = encodePayload(text);
        out.append(payload, 0, payload.length);
      }
    }
    out.append(CRLF, 0, 2);
  }

  #line(bytes: Uint8Array): void {
    this.#out.append(bytes, 0, bytes.length);
  }

  #bytesOf(subject: string): Uint8Array {
    if (subject !== this.#subjectText) {
      this.#subjectText = subject;
      this.#subjectBytes = encodeText(subject);
    }
    return this.#subjectBytes;
  }
}

/** A short ASCII payload is written character by character; a long one by the platform's encoder. */
const INLINE_TEXT = 64;
