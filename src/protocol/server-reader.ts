import type { BufferPool } from "./buffer-pool.ts";
import { copyOf, sameBytes } from "./bytes.ts";
import { Carry, UNFILLED } from "./carry.ts";
import { UNKNOWN_OPERATION } from "./faults.ts";
import { HASH_PRIME, HASH_SEED } from "./hash.ts";
import type { ServerInfo } from "./info.ts";
import { CR, LF, parseSize, SPACE, snippet, TAB } from "./line.ts";
import type { Message } from "./message.ts";
import { decodeText } from "./text.ts";
import type { FaultSink, ServerVerbs, Sid } from "./verbs.ts";

const INCOMPLETE = -1;
const STOPPED = -2;

/** A line longer than this is no server's: `INFO` with the addresses of a large cluster stays far below. */
const LINE_MAX = 1024 * 1024;

/** How many subjects' texts are remembered, so that a message costs a comparison instead of a new string. */
const REMEMBERED_SUBJECTS = 1024;

interface RememberedSubject {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * Reads what a server says: bytes in, {@link ServerVerbs} out; the mirror of `ClientVerbReader`, with the same way of treating what
 * is split over chunks.
 */
export class ServerVerbReader {
  readonly #verbs: ServerVerbs & FaultSink;
  readonly #message: Message;
  readonly #to = { sid: 0 as Sid };
  /** Made for the first message. */
  #subjects: (RememberedSubject | undefined)[] | undefined;
  readonly #carry: Carry;
  #stopped = false;

  constructor(verbs: ServerVerbs & FaultSink, message: Message, pool: BufferPool) {
    this.#verbs = verbs;
    this.#message = message;
    this.#carry = new Carry(pool);
  }

  /** Reads nothing any more, also not the rest of the chunk at hand. */
  stop(): void {
    this.#stopped = true;
  }

  /** Reads the next bytes. The array is not used after the call. */
  read(chunk: Uint8Array): void {
    this.#read(chunk);
    if (this.#stopped) this.#carry.release();
  }

  #read(chunk: Uint8Array): void {
    const carry = this.#carry;
    let pos = 0;
    while (carry.length > 0 && !this.#stopped) {
      pos = carry.fill(chunk, pos);
      if (pos === UNFILLED) {
        if (carry.need === 0 && carry.length > LINE_MAX) this.#fault("line without end");
        return;
      }
      const used = this.#element(carry.bytes, 0, carry.length);
      if (used === STOPPED) return;
      if (used !== INCOMPLETE) carry.release();
    }
    const end = chunk.length;
    while (pos < end && !this.#stopped) {
      const next = this.#element(chunk, pos, end);
      if (next === STOPPED) return;
      if (next === INCOMPLETE) {
        carry.add(chunk, pos, end);
        return;
      }
      pos = next;
    }
  }

  #element(buf: Uint8Array, pos: number, end: number): number {
    const first = buf[pos];
    if (first === 77) return end - pos < 4 ? INCOMPLETE : this.#deliver(buf, pos, pos + 4, end, false);
    if (first === 72) return end - pos < 5 ? INCOMPLETE : this.#deliver(buf, pos, pos + 5, end, true);
    const lineFeed = buf.indexOf(LF, pos);
    if (lineFeed < 0 || lineFeed >= end) return INCOMPLETE;
    const lineEnd = lineFeed > pos && buf[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
    const line = decodeText(buf, pos, lineEnd);
    const space = line.search(/[ \t]/);
    const operation = (space < 0 ? line : line.slice(0, space)).toUpperCase();
    const rest = space < 0 ? "" : line.slice(space + 1).trim();
    switch (operation) {
      case "PING":
        this.#verbs.ping();
        break;
      case "PONG":
        this.#verbs.pong();
        break;
      case "+OK":
        this.#verbs.ok();
        break;
      case "-ERR":
        this.#verbs.err(
          rest.startsWith("'") && rest.endsWith("'") && rest.length > 1 ? rest.slice(1, -1) : rest,
        );
        break;
      case "INFO":
        return this.#info(rest) ? lineFeed + 1 : STOPPED;
      default:
        return this.#fault(`unknown operation: ${snippet(buf, pos, lineEnd)}`);
    }
    return this.#stopped ? STOPPED : lineFeed + 1;
  }

  #info(json: string): boolean {
    let info: unknown;
    try {
      info = JSON.parse(json);
    } catch {
      info = undefined;
    }
    if (typeof info !== "object" || info === null) this.#fault("INFO is not a JSON object");
    else this.#verbs.info(info as ServerInfo);
    return !this.#stopped;
  }

  /** `MSG <subject> <sid> [reply] <size>` and `HMSG <subject> <sid> [reply] <header size> <size>`, with the payload. */
  #deliver(buf: Uint8Array, first: number, pos: number, end: number, headers: boolean): number {
    let i = pos;
    let byte = 0;
    let hash = HASH_SEED;
    for (; i < end; i++) {
      byte = buf[i];
      if (byte <= SPACE && (byte === SPACE || byte === CR || byte === LF || byte === TAB)) break;
      hash = Math.imul(hash ^ byte, HASH_PRIME);
    }
    if (i === end) return INCOMPLETE;
    const subjectEnd = i;
    let count = 0;
    // The first argument after the subject, and the last three.
    let sid = 0;
    let sidEnd = 0;
    let a = 0;
    let aEnd = 0;
    let b = 0;
    let bEnd = 0;
    let c = 0;
    let cEnd = 0;
    while (byte !== LF) {
      if (byte === SPACE || byte === TAB || byte === CR) {
        i += 1;
        if (i === end) return INCOMPLETE;
        byte = buf[i];
        continue;
      }
      a = b;
      aEnd = bEnd;
      b = c;
      bEnd = cEnd;
      c = i;
      for (i += 1; i < end; i++) {
        byte = buf[i];
        if (byte <= SPACE && (byte === SPACE || byte === CR || byte === LF || byte === TAB)) break;
      }
      if (i === end) return INCOMPLETE;
      cEnd = i;
      count += 1;
      if (count === 1) {
        sid = c;
        sidEnd = cEnd;
      }
    }
    i += 1;
    const fixed = headers ? 3 : 2;
    const size = parseSize(buf, c, cEnd);
    const headerSize = headers ? parseSize(buf, b, bEnd) : 0;
    const spelled = headers
      ? (buf[first] & 0xdf) === 72 && (buf[first + 1] & 0xdf) === 77
      : (buf[first] & 0xdf) === 77 && (buf[first + 1] & 0xdf) === 83;
    if (!spelled || count < fixed || count > fixed + 1 || size < 0 || headerSize < 0 || headerSize > size) {
      return this.#fault(`bad message line: ${snippet(buf, first, end)}`);
    }
    const payloadEnd = i + size;
    if (payloadEnd + 2 > end) {
      this.#carry.need = payloadEnd + 2 - first;
      return INCOMPLETE;
    }
    if (buf[payloadEnd] !== CR || buf[payloadEnd + 1] !== LF) {
      return this.#fault(`no line end after a payload: ${snippet(buf, payloadEnd, end)}`);
    }
    const message = this.#message;
    message.setWire(buf);
    message.subject = this.#subject(buf, pos, subjectEnd, hash);
    message.subjectStart = pos;
    message.subjectEnd = subjectEnd;
    message.hasReply = count > fixed;
    message.replyStart = headers ? a : b;
    message.replyEnd = headers ? aEnd : bEnd;
    message.start = i;
    message.body = i + headerSize;
    message.end = payloadEnd;
    message.size = size;
    message.hasHeaders = headerSize > 0;
    this.#to.sid = sidOf(buf, sid, sidEnd);
    this.#verbs.msg(this.#to, message, false);
    return this.#stopped ? STOPPED : payloadEnd + 2;
  }

  #subject(buf: Uint8Array, start: number, end: number, hash: number): string {
    const place = (hash ^ (hash >>> 16)) & (REMEMBERED_SUBJECTS - 1);
    this.#subjects ??= new Array(REMEMBERED_SUBJECTS).fill(undefined);
    const remembered = this.#subjects[place];
    if (
      remembered !== undefined &&
      remembered.bytes.length === end - start &&
      sameBytes(remembered.bytes, buf, start)
    ) {
      return remembered.text;
    }
    const text = decodeText(buf, start, end);
    this.#subjects[place] = { bytes: copyOf(buf, start, end), text };
    return text;
  }

  #fault(detail: string): typeof STOPPED {
    this.#stopped = true;
    this.#verbs.fault(UNKNOWN_OPERATION, detail);
    return STOPPED;
  }
}

/** A subscription id: the number that our client gave, or whatever else it is. */
function sidOf(buf: Uint8Array, start: number, end: number): Sid {
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = buf[i] - 48;
    if (digit < 0 || digit > 9 || i - start === SID_DIGITS_MAX) return decodeText(buf, start, end);
    number = number * 10 + digit;
  }
  return Number.isSafeInteger(number) ? number : decodeText(buf, start, end);
}

/** A number with more digits is not exact. */
const SID_DIGITS_MAX = 16;
