import type { BufferPool } from "./buffer-pool.ts";
import { copyOf } from "./bytes.ts";
import { Carry, UNFILLED } from "./carry.ts";
import {
  argumentsStart,
  BAD,
  CONNECT,
  HPUB,
  INFO,
  NEED_MORE,
  nameLength,
  OK,
  operationAt,
  PING,
  PONG,
  PUB,
  SUB,
  UNSUB,
} from "./client-operations.ts";
import { ConnectSyntaxError, parseConnect } from "./connect-options.ts";
import { FAULTS, type ProtocolFault } from "./faults.ts";
import { HASH_PRIME, HASH_SEED } from "./hash.ts";
import { CR, LF, parseSize, SPACE, snippet, splitArguments, TAB } from "./line.ts";
import type { Message } from "./message.ts";
import { decodeText } from "./text.ts";
import type { ClientVerbs, FaultSink } from "./verbs.ts";

/** What a client may send; read at each line, so that a reload holds for open connections. */
export interface ClientReaderLimits {
  /** Bytes of a line's arguments. */
  maxControlLine: number;
  /** Bytes of a message's headers and payload together; -1 for no limit. */
  maxPayload: number;
  /** Whether `HPUB` is allowed: both ends have headers. */
  headers: boolean;
}

/** How long reading may go on at once. */
export interface ReadingTurn {
  /**
   * How many elements may be read before it is asked again; 0 when others have their turn.
   * @param done - how many were read since it was asked last.
   */
  look(done: number): number;
}

/** How many elements are read before it is asked first. */
const FIRST_LOOK = 8;

/** The element at hand needs bytes that have not come yet. */
const INCOMPLETE = -1;
/** Nothing more is read: a fault, or the connection was closed by what a verb did. */
const STOPPED = -2;
/** The line was read, but what comes after it has to wait. */
const PAUSED = -3;

/**
 * Reads what a client says: bytes in, {@link ClientVerbs} out. Everything is read in place, and any split of the bytes
 * gives the same calls: what is left of a chunk waits in `carry` for the bytes that complete it.
 *
 *     chunk:  | rest of one | whole elements, read in place | start of one |
 *                   |                                               |
 *                   +--> joins what waits in carry                  +--> waits in carry
 */
export class ClientVerbReader {
  readonly #verbs: ClientVerbs & FaultSink;
  readonly #message: Message;
  readonly #limits: ClientReaderLimits;
  readonly #carry: Carry;
  #stopped = false;
  #paused = false;
  #waits = false;
  /** Where the element after the one that paused begins. */
  #pausedAt = 0;
  #rest: Uint8Array[] = [];

  constructor(
    verbs: ClientVerbs & FaultSink,
    message: Message,
    limits: ClientReaderLimits,
    pool: BufferPool,
  ) {
    this.#carry = new Carry(pool);
    this.#verbs = verbs;
    this.#message = message;
    this.#limits = limits;
  }

  /** Reads nothing any more, also not the rest of the chunk at hand. */
  stop(): void {
    this.#stopped = true;
  }

  /** Whether the next byte begins a line. */
  get atStart(): boolean {
    return this.#carry.length === 0;
  }

  /** Called by what a `CONNECT` does: what comes after it is kept until {@link resume}. */
  pause(): void {
    this.#paused = true;
  }

  /** Whether something is kept because its turn was over. */
  get waits(): boolean {
    return this.#waits;
  }

  /** Reads what was kept, and goes on. @param turn - how long; without it, to the end. */
  resume(turn?: ReadingTurn): void {
    this.#paused = this.#waits = false;
    for (const bytes of this.#rest.splice(0)) this.read(bytes, turn);
  }

  /**
   * Reads the next bytes. The array is not used after the call.
   * @param turn - how long: what is left is kept then ({@link waits}) until {@link resume}.
   */
  read(chunk: Uint8Array, turn?: ReadingTurn): void {
    if (this.#paused) this.#rest.push(copyOf(chunk, 0, chunk.length));
    else this.#read(chunk, turn);
    if (this.#stopped) {
      this.#carry.release();
      this.#rest = [];
    }
  }

  #read(chunk: Uint8Array, turn: ReadingTurn | undefined): void {
    const carry = this.#carry;
    let pos = 0;
    while (carry.length > 0 && !this.#stopped) {
      pos = carry.fill(chunk, pos);
      if (pos === UNFILLED) {
        this.#checkUnfilled();
        return;
      }
      const used = this.#element(carry.bytes, 0, carry.length);
      if (used === STOPPED) return;
      if (used !== INCOMPLETE) carry.release();
      if (used === PAUSED) {
        if (pos < chunk.length) this.#rest.push(copyOf(chunk, pos, chunk.length));
        return;
      }
    }
    const end = chunk.length;
    let step = FIRST_LOOK;
    // Never 0 without a turn.
    let left = turn === undefined ? 0 : step;
    while (pos < end && !this.#stopped) {
      const next = this.#element(chunk, pos, end);
      if (next < 0) {
        if (next === INCOMPLETE) {
          carry.add(chunk, pos, end);
          this.#checkUnfilled();
        } else if (next === PAUSED && this.#pausedAt < end) {
          this.#rest.push(copyOf(chunk, this.#pausedAt, end));
        }
        return;
      }
      pos = next;
      left -= 1;
      if (left === 0 && turn !== undefined && pos < end && !this.#stopped) {
        step = left = turn.look(step);
        if (left > 0) continue;
        this.#paused = this.#waits = true;
        this.#rest.push(copyOf(chunk, pos, end));
        return;
      }
    }
  }

  /** An element waits for its end: perhaps it can be seen already that it is wrong. */
  #checkUnfilled(): void {
    const { bytes, length, need } = this.#carry;
    if (need === 0) {
      this.#trimLine();
    } else if (length === need - 1 && bytes[length - 1] !== CR) {
      this.#fault(FAULTS.unknownOperation, `parser error: ${snippet(bytes, length - 1, length)}`);
    }
  }

  /**
   * Looks at a line that has not ended: refuses it if it never can be right, and drops what need not be kept, so that an
   * endless line takes no memory.
   */
  #trimLine(): void {
    const { bytes: buf, length: end } = this.#carry;
    const operation = operationAt(buf, 0, end);
    if (operation === NEED_MORE) return;
    if (operation === BAD) {
      this.#fault(FAULTS.unknownOperation, `parser error: ${snippet(buf, 0, end)}`);
      return;
    }
    const name = nameLength(operation);
    if (operation === PING || operation === PONG || operation === OK) {
      this.#carry.length = name;
      return;
    }
    // A line that is wrong before its end is refused before its end, wherever it is cut.
    if ((operation === PUB || operation === HPUB) && this.#element(buf, 0, end) === STOPPED) return;
    let start = name;
    while (start < end && (buf[start] === SPACE || buf[start] === TAB)) start += 1;
    if (start === end && start > name + 1) this.#carry.length = name + 1;
    else if (end - start > this.#limits.maxControlLine + 1)
      this.#fault(FAULTS.maxControlLine, "line without end");
  }

  /** Reads one element; returns where the next begins, INCOMPLETE, STOPPED or PAUSED. */
  #element(buf: Uint8Array, pos: number, end: number): number {
    // PUB first: it is nearly all of the traffic.
    if (
      end - pos > 4 &&
      (buf[pos] & 0xdf) === 80 &&
      (buf[pos + 1] & 0xdf) === 85 &&
      (buf[pos + 2] & 0xdf) === 66
    ) {
      if (buf[pos + 3] === SPACE || buf[pos + 3] === TAB) return this.#publish(buf, pos, pos + 4, end, false);
    }
    const operation = operationAt(buf, pos, end);
    switch (operation) {
      case NEED_MORE:
        return INCOMPLETE;
      case BAD:
        return this.#fault(FAULTS.unknownOperation, `parser error: ${snippet(buf, pos, end)}`);
      case PUB:
        return this.#publish(buf, pos, pos + 4, end, false);
      case HPUB:
        return this.#publish(buf, pos, pos + 5, end, true);
    }
    const lineFeed = buf.indexOf(LF, pos);
    if (lineFeed < 0 || lineFeed >= end) return INCOMPLETE;
    let argsEnd = lineFeed > pos && buf[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
    switch (operation) {
      case PING:
        this.#verbs.ping();
        return this.#stopped ? STOPPED : lineFeed + 1;
      case PONG:
        this.#verbs.pong();
        return this.#stopped ? STOPPED : lineFeed + 1;
      case OK:
        return lineFeed + 1;
    }
    let args = pos + argumentsStart(operation);
    while (args < argsEnd && (buf[args] === SPACE || buf[args] === TAB)) args += 1;
    if (args > argsEnd) argsEnd = args;
    if (argsEnd - args > this.#limits.maxControlLine) {
      return this.#fault(
        FAULTS.maxControlLine,
        `maximum control line exceeded: ${snippet(buf, args, argsEnd)}`,
      );
    }
    switch (operation) {
      case SUB:
        return this.#subscribe(buf, args, argsEnd) ? lineFeed + 1 : STOPPED;
      case UNSUB:
        return this.#unsubscribe(buf, args, argsEnd) ? lineFeed + 1 : STOPPED;
      case CONNECT:
        if (!this.#connect(buf, args, argsEnd)) return STOPPED;
        if (!this.#paused) return lineFeed + 1;
        this.#pausedAt = lineFeed + 1;
        return PAUSED;
      case INFO:
        return this.#ignoreInfo(buf, args, argsEnd) ? lineFeed + 1 : STOPPED;
      default:
        return this.#fault(FAULTS.clientError, `Client Error ${decodeText(buf, args, argsEnd)}`);
    }
  }

  /** `PUB <subject> [reply] <size>` and `HPUB <subject> [reply] <header size> <size>`, with the payload. */
  #publish(buf: Uint8Array, first: number, pos: number, end: number, headers: boolean): number {
    while (pos < end && (buf[pos] === SPACE || buf[pos] === TAB)) pos += 1;
    const args = pos;
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
    let count = 1;
    let canonical = true;
    // Where the arguments after the subject begin and end: the last three of them at most.
    let a = 0;
    let aEnd = 0;
    let b = 0;
    let bEnd = 0;
    let c = 0;
    let cEnd = 0;
    let argsEnd = 0;
    let size = -1;
    if (byte === SPACE && !headers) {
      // The usual lines, `PUB <subject> [reply] <size>CRLF`, without a detour.
      let from = subjectEnd + 1;
      let at = from;
      let read = 0;
      let digit = 0;
      while (at < end && (digit = buf[at] - 48) >= 0 && digit <= 9) {
        read = read * 10 + digit;
        at += 1;
      }
      if (at < end && buf[at] > SPACE) {
        while (at < end && buf[at] > SPACE) at += 1;
        b = from;
        bEnd = at;
        if (at < end && buf[at] === SPACE) at += 1;
        from = at;
        read = 0;
        while (at < end && (digit = buf[at] - 48) >= 0 && digit <= 9) {
          read = read * 10 + digit;
          at += 1;
        }
      }
      const digits = at - from;
      if (at + 1 < end && digits > 0 && digits <= 9 && buf[at] === CR && buf[at + 1] === LF) {
        size = read;
        c = from;
        cEnd = argsEnd = at;
        i = at + 2;
        count = bEnd > 0 ? 3 : 2;
      } else {
        b = bEnd = 0;
      }
    }
    if (size < 0) {
      for (;;) {
        const gap = i;
        while (byte === SPACE || byte === TAB) {
          if (byte === TAB) canonical = false;
          i += 1;
          if (i === end) return INCOMPLETE;
          byte = buf[i];
        }
        if (byte === CR || byte === LF) {
          argsEnd = i;
          if (byte === LF) {
            canonical = false;
          } else {
            if (i > gap) canonical = false;
            i += 1;
            if (i === end) return INCOMPLETE;
            if (buf[i] !== LF) {
              const fault =
                argsEnd - args > this.#limits.maxControlLine ? FAULTS.maxControlLine : FAULTS.malformed;
              return this.#fault(fault, `processPub Parse Error: ${snippet(buf, args, end)}`);
            }
          }
          i += 1;
          break;
        }
        if (i > gap + 1) canonical = false;
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
      }
    }
    if (argsEnd - args > this.#limits.maxControlLine) {
      return this.#fault(
        FAULTS.maxControlLine,
        `maximum control line exceeded: ${snippet(buf, args, argsEnd)}`,
      );
    }
    const fixed = headers ? 3 : 2;
    if (headers && !this.#limits.headers)
      return this.#fault(FAULTS.headersNotSupported, "message headers not supported");
    if (subjectEnd === args || count < fixed || count > fixed + 1) {
      const what = headers ? "processHeaderPub" : "processPub";
      return this.#fault(FAULTS.malformed, `${what} Parse Error: ${snippet(buf, args, argsEnd)}`);
    }
    const hasReply = count > fixed;
    if (size < 0) size = parseSize(buf, c, cEnd);
    const headerSize = headers ? parseSize(buf, b, bEnd) : 0;
    if (size < 0 || headerSize < 0 || headerSize > size) {
      return this.#fault(FAULTS.malformed, `Bad or Missing Size: ${snippet(buf, args, argsEnd)}`);
    }
    const { maxPayload } = this.#limits;
    if (maxPayload >= 0 && size > maxPayload) {
      const message = this.#message;
      message.setWire(buf);
      message.subject = "";
      message.subjectStart = args;
      message.subjectEnd = subjectEnd;
      message.start = i;
      message.body = message.end = Math.min(i + headerSize, end);
      message.size = size;
      message.hasHeaders = message.body > i;
      const detail = `maximum payload exceeded: ${size} vs ${maxPayload}`;
      return this.#fault(FAULTS.maxPayload, detail, message.hasHeaders ? message : undefined);
    }
    const payloadEnd = i + size;
    if (payloadEnd + 2 > end) {
      this.#carry.need = payloadEnd + 2 - first;
      return INCOMPLETE;
    }
    if (buf[payloadEnd] !== CR || buf[payloadEnd + 1] !== LF) {
      return this.#fault(FAULTS.unknownOperation, `parser error: ${snippet(buf, payloadEnd, end)}`);
    }
    const message = this.#message;
    message.setWire(buf);
    message.subject = "";
    message.subjectStart = args;
    message.subjectEnd = subjectEnd;
    message.subjectHash = hash;
    message.hasReply = hasReply;
    if (hasReply) {
      message.replyStart = headers ? a : b;
      message.replyEnd = headers ? aEnd : bEnd;
    } else {
      message.replyStart = message.replyEnd = 0;
    }
    message.headerTextStart = b;
    message.headerTextEnd = bEnd;
    message.sizeTextStart = c;
    message.sizeTextEnd = cEnd;
    // `HPUB` with no header bytes goes out as a `MSG`, whose line has one size only: no common tail then.
    message.tailStart = canonical && (!headers || headerSize > 0) ? subjectEnd + 1 : -1;
    message.start = i;
    message.body = i + headerSize;
    message.end = payloadEnd;
    message.size = size;
    message.hasHeaders = headerSize > 0;
    this.#verbs.pub(message);
    return this.#stopped ? STOPPED : payloadEnd + 2;
  }

  #subscribe(buf: Uint8Array, start: number, end: number): boolean {
    const args = splitArguments(buf, start, end);
    if (args.length === 2) this.#verbs.sub(args[0], undefined, args[1]);
    else if (args.length === 3) this.#verbs.sub(args[0], args[1], args[2]);
    else this.#fault(FAULTS.malformed, `processSub Parse Error: ${snippet(buf, start, end)}`);
    return !this.#stopped;
  }

  #unsubscribe(buf: Uint8Array, start: number, end: number): boolean {
    const args = splitArguments(buf, start, end);
    if (args.length === 1) {
      this.#verbs.unsub(args[0], undefined);
    } else if (args.length === 2) {
      const max = /^\d{1,9}$/.test(args[1]) ? Number(args[1]) : 0;
      this.#verbs.unsub(args[0], max > 0 ? max : undefined);
    } else {
      this.#fault(FAULTS.malformed, `processUnsub Parse Error: ${snippet(buf, start, end)}`);
    }
    return !this.#stopped;
  }

  #connect(buf: Uint8Array, start: number, end: number): boolean {
    let options: ReturnType<typeof parseConnect>;
    try {
      options = parseConnect(decodeText(buf, start, end));
    } catch (error) {
      if (!(error instanceof ConnectSyntaxError)) throw error;
      this.#fault(FAULTS.malformed, error.message);
      return false;
    }
    this.#verbs.connect(options);
    return !this.#stopped;
  }

  /** nats-server lets a client send `INFO`, and only asks that it is a JSON object. */
  #ignoreInfo(buf: Uint8Array, start: number, end: number): boolean {
    let info: unknown;
    try {
      info = JSON.parse(decodeText(buf, start, end));
    } catch {
      info = undefined;
    }
    if (typeof info !== "object" || Array.isArray(info))
      this.#fault(FAULTS.malformed, "INFO is not a JSON object");
    return !this.#stopped;
  }

  #fault(fault: ProtocolFault, detail: string, message?: Message): typeof STOPPED {
    this.stop();
    this.#verbs.fault(fault, detail, message);
    return STOPPED;
  }
}
