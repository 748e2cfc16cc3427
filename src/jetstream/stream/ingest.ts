import type { Message } from "../../protocol/message.ts";
import { messageOf } from "../../protocol/message-of.ts";
import { EMPTY, encodeText } from "../../protocol/text.ts";
import { StorageError } from "../../storage/errors.ts";
import { Pacer } from "../../storage/pacer.ts";
import type { StreamStore } from "../../storage/store.ts";
import { type ApiError, apiError } from "../errors.ts";
import { readBatchHeaders } from "../publish/batch.ts";
import { checkPublish, type StoreDecision, sizeOf } from "../publish/check.ts";
import { isFastReply } from "../publish/fast-batch.ts";
import { type HeaderValues, readHeaders } from "../publish/headers.ts";
import { STATUS } from "../status-frames.ts";
import { AtomicBatches } from "./atomic-batches.ts";
import { Backlog } from "./backlog.ts";
import type { StreamConfig } from "./config.ts";
import { FastBatches } from "./fast-batches.ts";
import { isReady } from "./from-origin.ts";
import { type Act, type Answered, copied, type Incoming } from "./incoming.ts";
import { publishContext, type Read, readFor } from "./reads.ts";
import { type IngestRules, Writer, type WriterParts } from "./writer.ts";

/** Bytes that may wait for the disk, or for a message before them; beyond, publishers are told to slow down (nats-server `streamDefaultMaxQueueBytes`). */
const MAX_WAITING_BYTES = 128 * 1024 * 1024;

/** Takes messages into a stream: decides about each, has it stored, and its publisher answered. */
export class Ingest {
  readonly #parts: WriterParts;
  readonly #store: StreamStore;
  readonly #writer: Writer;
  #rules: IngestRules;
  /** Whether messages without headers need no more than a look at their size. */
  #simple = false;
  /** Messages behind one for which something has to be read first. */
  readonly #backlog = new Backlog();
  /** When what runs now began, as far as messages have come in it; 0 otherwise. */
  #began = 0;
  /** Batches; made when the first message of one comes. */
  #atomic: AtomicBatches | undefined;
  #fast: FastBatches | undefined;

  constructor(parts: WriterParts, rules: IngestRules) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#writer = new Writer(parts, rules);
    this.#rules = rules;
    this.configure(rules);
  }

  /** Other rules, from the next message on. */
  configure(rules: IngestRules): void {
    this.#rules = rules;
    this.#writer.configure(rules);
    const { sealed, allowMsgCounter } = rules.config;
    this.#simple = !sealed && !allowMsgCounter;
    this.#atomic?.configure(rules);
    this.#fast?.configure(rules);
  }

  /** Ends it: batches that are open are given up, and what waits. */
  stop(): void {
    this.#backlog.clear();
    this.#atomic?.stop();
    this.#fast?.stop();
  }

  /** A message was published on one of the stream's subjects. */
  take(message: Message): void {
    const { config } = this.#rules;
    const to = message.hasReply ? message.reply : "";
    const isFast = isFastReply(to);
    const reply = config.noAck && !isFast ? "" : to;
    const subject = this.#transformed(message.subject);
    const { bytes, body, end, text } = message;
    const payload =
      text === undefined ? (body === end ? EMPTY : bytes.subarray(body, end)) : encodeText(text);
    const headers = message.hasHeaders ? bytes.subarray(message.start, body) : undefined;
    const waiting = this.#parts.answers.waitingBytes + this.#backlog.bytes;
    if (waiting > MAX_WAITING_BYTES) {
      if (reply !== "") this.#parts.account.client.publish(reply, STATUS.tooManyRequests(), EMPTY);
      return;
    }
    // Nothing waits without its bytes.
    if (this.#simple && headers === undefined && !isFast && this.#backlog.bytes === 0) {
      this.#storePlain(subject, payload, reply, config);
      return;
    }
    this.bring({ subject, headers, payload, reply, sourced: false });
  }

  /** The time of messages that come now: the clock is asked once for all that come in one go, which are told apart by microseconds all the same. */
  #timeNow(): number {
    if (this.#began === 0) {
      const { clock, tasks } = this.#parts.account;
      this.#began = clock.precise();
      tasks.soon(this.#ended);
    }
    return this.#began;
  }

  readonly #ended = (): void => {
    this.#began = 0;
  };

  #transformed(subject: string): string {
    return this.#rules.transform?.apply(subject) ?? subject;
  }

  /** The stream itself has a message: it goes the way of those that are published. */
  make(subject: string, headers: Uint8Array, payload: Uint8Array): void {
    this.bring({ subject: this.#transformed(subject), headers, payload, reply: "", sourced: true });
  }

  /** Takes a message from another stream. */
  takeFrom(message: Incoming): void {
    this.bring({ ...message, subject: this.#transformed(message.subject) });
  }

  /** Stores a message by its headers; later, if others wait or something must be read from disk first. */
  bring(message: Incoming): void {
    if (!this.#backlog.isEmpty) {
      this.#backlog.push(copied(message));
      return;
    }
    const act = this.#process(message);
    if (act === undefined) return;
    this.#backlog.push(copied(message));
    void this.#workOff(act);
  }

  async #workOff(first: Promise<Act>): Promise<void> {
    const pacer = new Pacer(this.#parts.account.clock);
    let reading: Promise<Act> | undefined = first;
    for (let message = this.#backlog.first; message !== undefined; ) {
      try {
        reading ??= this.#process(message);
        const act = reading && (await reading);
        if (reading !== undefined) pacer.rested();
        // The stream may have ended meanwhile.
        if (this.#backlog.first === message) act?.(message);
      } catch (error) {
        if (this.#backlog.first === message) this.#undecided(message, error);
      } finally {
        reading = undefined;
      }
      if (this.#backlog.first !== message) return;
      this.#backlog.shift();
      message = this.#backlog.first;
      if (message === undefined || !pacer.due) continue;
      await pacer.rest();
      if (this.#backlog.first !== message) return;
    }
  }

  /** What must be read for a message cannot be, or something else goes wrong with it: those behind it go on. */
  #undecided(message: Incoming, error: unknown): void {
    const err = messageOf(error);
    const { account } = this.#parts;
    account.logger.error(`Stream '${account.name} > ${this.#rules.config.name}': ${err}`);
    this.#refuse(message, apiError(10077, { err }));
  }

  /** Stores a message, unless something must be read first: then what to do after that is returned. */
  #process(message: Incoming): Promise<Act> | undefined {
    const values = readHeaders(message.headers);
    if (!message.sourced) {
      if (isFastReply(message.reply)) return this.#fastBatches().take(message, values);
      const batch = readBatchHeaders(values);
      if (batch !== undefined) return this.#atomicBatches().take(message, values, batch);
    }
    const read = readFor(this.#store, message.subject, values, this.#rules.config);
    if (read instanceof Promise) return read.then((found) => (copy) => this.#decide(copy, values, found));
    this.#decide(message, values, read);
    return undefined;
  }

  #atomicBatches(): AtomicBatches {
    this.#atomic ??= new AtomicBatches(this.#parts, this.#writer, this.#rules);
    return this.#atomic;
  }

  #fastBatches(): FastBatches {
    this.#fast ??= new FastBatches(this.#parts, this.#writer, this.#rules);
    return this.#fast;
  }

  #decide(message: Incoming, values: HeaderValues, read: Read): void {
    const { answers } = this.#parts;
    const { origin } = message;
    if (origin !== undefined && !isReady(origin)) return;
    const now = this.#timeNow();
    const decision = checkPublish(
      message,
      values,
      publishContext(this.#parts, this.#rules.config, read, now),
      read.last,
    );
    if (decision.kind === "refuse") this.#refuse(message, decision.error);
    else if (decision.kind === "duplicate") {
      answers.duplicate(message.reply, decision.seq);
      origin?.stored(0);
    } else this.#storeDecided(message, values, decision, now);
  }

  #storePlain(subject: string, payload: Uint8Array, reply: string, config: StreamConfig): void {
    const { answers } = this.#parts;
    const refused =
      config.maxMsgSize >= 0 && payload.length > config.maxMsgSize
        ? apiError(10054)
        : this.#writer.refused(subject, undefined, payload, false);
    if (refused !== undefined) {
      answers.refuse(reply, refused);
      return;
    }
    try {
      const seq = this.#writer.writePlain(subject, payload, this.#timeNow());
      answers.stored(seq, reply, payload.length);
    } catch (error) {
      this.#failed(error, { reply });
    }
  }

  #storeDecided(message: Incoming, values: HeaderValues, decision: StoreDecision, now: number): void {
    const { answers } = this.#parts;
    const { subject, reply, origin } = message;
    const { headers, payload, counter, rollup } = decision;
    const refused = this.#writer.refused(subject, headers, payload, rollup !== undefined);
    if (refused !== undefined) {
      this.#refuse(message, refused);
      return;
    }
    try {
      const seq = this.#writer.write({ subject, values, decision, origin }, now);
      const { rolled } = this.#writer;
      const size = sizeOf(headers, payload);
      if (rolled === undefined && counter === undefined) answers.stored(seq, reply, size);
      else answers.storedWith(seq, reply, size, { value: counter }, rolled);
    } catch (error) {
      this.#failed(error, message);
    }
  }

  #failed(error: unknown, message: Answered): void {
    if (!(error instanceof StorageError)) throw error;
    this.#refuse(message, error);
  }

  /** Tells why a message is not stored. */
  #refuse({ reply, origin }: Answered, error: ApiError | StorageError): void {
    const { answers } = this.#parts;
    if (error instanceof StorageError) answers.refuseAs(reply, error);
    else answers.refuse(reply, error);
    origin?.refused(error);
  }

  /** All up to a sequence is on disk. */
  synced(seq: number): void {
    this.#fast?.synced(seq);
  }

  /** All that is not on disk has come to nothing. */
  refused(error: StorageError): void {
    this.#fast?.refused(error);
  }
}
