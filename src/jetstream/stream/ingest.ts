import type { Message } from "../../protocol/message.ts";
import { EMPTY, encodeText } from "../../protocol/text.ts";
import { type ApiError, apiError } from "../errors.ts";
import { readBatchHeaders } from "../publish/batch.ts";
import { checkBatched, StagedBatch } from "../publish/batch-check.ts";
import { checkPublish, neededMessage, type PublishContext, sizeOf } from "../publish/check.ts";
import { type HeaderValues, readHeaders } from "../publish/headers.ts";
import { STATUS } from "../status-frames.ts";
import { isWithoutWildcards } from "../subjects.ts";
import { AtomicBatches, type CompleteBatch } from "./atomic-batches.ts";
import { isReady } from "./from-origin.ts";
import { copied, type Incoming } from "./incoming.ts";
import { type Asking, type Reads, readFor } from "./reads.ts";
import { type DecidedMessage, StreamWriter, type WriterParts, type WriterRules } from "./writer.ts";

/** Bytes that may wait for the disk; beyond, publishers are told to slow down (nats-server `streamDefaultMaxQueueBytes`). */
const MAX_WAITING_BYTES = 128 * 1024 * 1024;

/** Something that is to be decided about: a message, or a batch of them. */
interface Work {
  readonly message: Incoming;
  readonly values: HeaderValues;
  readonly batch: CompleteBatch | undefined;
}

/** Takes messages into a stream: decides about each, in the order they come in, and has them stored. */
export class Ingest {
  readonly #parts: WriterParts;
  readonly #writer: StreamWriter;
  readonly #batches: AtomicBatches;
  #rules: WriterRules;
  /** Whether messages without headers need no more than a look at their size. */
  #simple = false;
  /** Messages behind one for which something has to be read first; that one comes first. */
  readonly #backlog: Incoming[] = [];

  constructor(parts: WriterParts, rules: WriterRules) {
    this.#parts = parts;
    this.#writer = new StreamWriter(parts, rules);
    this.#batches = new AtomicBatches(parts.account, parts.answers);
    this.#rules = rules;
    this.configure(rules);
  }

  /** Other rules, from the next message on. */
  configure(rules: WriterRules): void {
    this.#rules = rules;
    this.#writer.configure(rules);
    const { sealed, allowMsgCounter } = rules.config;
    this.#simple = !sealed && !allowMsgCounter;
  }

  /** A message was published on one of the stream's subjects. */
  take(message: Message): void {
    const { config, transform } = this.#rules;
    const reply = message.hasReply && !config.noAck ? message.reply : "";
    const subject = transform?.apply(message.subject) ?? message.subject;
    const { bytes, body, end, text } = message;
    const payload =
      text === undefined ? (body === end ? EMPTY : bytes.subarray(body, end)) : encodeText(text);
    const headers = message.hasHeaders ? bytes.subarray(message.start, body) : undefined;
    if (this.#parts.answers.waitingBytes + this.#batches.bytes > MAX_WAITING_BYTES) {
      if (reply !== "") this.#parts.account.client.publish(reply, STATUS.tooManyRequests(), EMPTY);
      return;
    }
    if (this.#simple && headers === undefined && this.#backlog.length === 0)
      this.#writer.plain(subject, payload, reply);
    else this.bring({ subject, headers, payload, reply, sourced: false });
  }

  /** Stores a message by its headers; later, if others wait or something must be read from disk first. */
  bring(message: Incoming): void {
    if (this.#backlog.length > 0) {
      this.#backlog.push(copied(message));
      return;
    }
    const work = this.#workOf(message);
    const reads = work && this.#read(work);
    if (work === undefined || reads === undefined) return;
    if (reads instanceof Promise) {
      const copy = copied(message);
      this.#backlog.push(copy);
      void this.#workOff({ ...work, message: copy }, reads);
    } else this.#finish(work, reads);
  }

  /** Takes a message from another stream. */
  takeFrom(message: Incoming): void {
    const { transform } = this.#rules;
    this.bring({ ...message, subject: transform?.apply(message.subject) ?? message.subject });
  }

  /** Ends it: batches that are not complete are given up. */
  stop(): void {
    this.#batches.stop();
    this.#backlog.length = 0;
  }

  async #workOff(first: Work, firstReads: Promise<Reads>): Promise<void> {
    let work: Work | undefined = first;
    let reads: Reads | Promise<Reads> | undefined = firstReads;
    for (;;) {
      if (work !== undefined && reads !== undefined) {
        const read: Reads = await reads;
        // The stream may have been closed meanwhile.
        if (this.#backlog.length === 0) return;
        this.#finish(work, read);
      }
      this.#backlog.shift();
      if (this.#backlog.length === 0) return;
      work = this.#workOf(this.#backlog[0]);
      reads = work && this.#read(work);
    }
  }

  /** What there is to decide; nothing of a message that waits for the rest of its batch, or is refused at once. */
  #workOf(message: Incoming): Work | undefined {
    const values = readHeaders(message.headers);
    const headers = values.size === 0 || message.sourced ? undefined : readBatchHeaders(values);
    if (headers === undefined) return { message, values, batch: undefined };
    const refused = this.#refusedInBatch(message);
    if (refused !== undefined) {
      this.#parts.answers.refuse(message.reply, refused);
      return undefined;
    }
    const batch = this.#batches.take(message, values, headers, this.#rules.config);
    return batch && { message, values, batch };
  }

  /** What is looked at before anything that concerns the batch. */
  #refusedInBatch({ headers, payload }: Incoming): ApiError | undefined {
    const { config } = this.#rules;
    if (config.sealed) return apiError(10109);
    if (this.#parts.account.isServerFull(config.storage)) return apiError(10023);
    return config.maxMsgSize >= 0 && sizeOf(headers, payload) > config.maxMsgSize
      ? apiError(10054)
      : undefined;
  }

  #read({ message, values, batch }: Work): Reads | Promise<Reads> {
    const asking: Asking[] =
      batch === undefined
        ? [{ subject: message.subject, values }]
        : batch.messages.map(({ subject, headers }) => ({ subject, values: readHeaders(headers) }));
    return readFor(asking, this.#rules.config, this.#parts.store);
  }

  #finish({ message, values, batch }: Work, reads: Reads): void {
    const { origin } = message;
    if (origin !== undefined && !isReady(origin)) return;
    const now = this.#parts.account.clock.now();
    const context = this.#context(now, reads);
    if (batch !== undefined) {
      this.#finishBatch(batch, context, reads, now);
      return;
    }
    const needed = values.size === 0 ? undefined : neededMessage(values, message.subject, context.config);
    const last = needed === undefined ? undefined : reads.last.get(needed);
    const decision = checkPublish(message, values, context, last);
    if (decision.kind === "refuse") this.#writer.refuse(message, decision.error);
    else if (decision.kind === "duplicate") {
      this.#parts.answers.duplicate(message.reply, decision.seq);
      origin?.stored(0);
    } else this.#writer.decided(message, values, decision, origin?.time ?? now);
  }

  #finishBatch(batch: CompleteBatch, context: PublishContext, reads: Reads, now: number): void {
    const staged = new StagedBatch();
    const decided: DecidedMessage[] = [];
    for (const message of batch.messages) {
      const values = readHeaders(message.headers);
      const needed = neededMessage(values, message.subject, context.config);
      const last = needed === undefined ? undefined : reads.last.get(needed);
      const decision = checkBatched(message, values, context, staged, last);
      if (decision.kind === "refuse") {
        this.#parts.answers.refuse(batch.reply, decision.error);
        return;
      }
      if (decision.kind === "store") decided.push({ message, values, decision });
    }
    this.#writer.batch(batch, decided, now);
  }

  #context(now: number, { lastSeq }: Reads): PublishContext {
    const { account, duplicates, store } = this.#parts;
    return {
      config: this.#rules.config,
      lastSeq: store.state.lastSeq,
      lastMsgId: duplicates.lastId,
      lastSeqOf: (filter) =>
        isWithoutWildcards(filter) ? (store.subject(filter)?.lastSeq ?? 0) : (lastSeq.get(filter) ?? 0),
      duplicateOf: (id) => duplicates.seqOf(id, now),
      maxPayload: account.maxPayload(),
      now,
      zones: account.zones,
    };
  }
}
