import { PubAckWriter } from "../../src/jetstream/publish/ack.ts";
import {
  type BatchHeaders,
  decideBatch,
  endingBatch,
  readBatchHeaders,
} from "../../src/jetstream/publish/batch.ts";
import { checkBatched, StagedBatch } from "../../src/jetstream/publish/batch-check.ts";
import {
  checkPublish,
  type LastMessage,
  neededMessage,
  type PublishContext,
  type PublishDecision,
  type PublishMessage,
} from "../../src/jetstream/publish/check.ts";
import { readHeaders } from "../../src/jetstream/publish/headers.ts";
import { refusedByLimits } from "../../src/jetstream/publish/room.ts";
import { TimeZones } from "../../src/jetstream/publish/time-zone.ts";
import type { StreamConfig } from "../../src/jetstream/stream/config.ts";
import { subjectsCollide } from "../../src/protocol/subject.ts";

interface Stored extends LastMessage {
  readonly subject: string;
  readonly seq: number;
}

/** A stream that keeps its messages in an array and never forgets an id, put together from the functions that decide about publishes. */
export class PublishModel {
  readonly #config: StreamConfig;
  readonly #writer: PubAckWriter;
  readonly #zones = new TimeZones();
  readonly #ids = new Map<string, number>();
  readonly #batches = new Map<string, PublishMessage[]>();
  messages: Stored[] = [];
  #lastSeq = 0;
  #lastMsgId = "";

  constructor(config: StreamConfig) {
    this.#config = config;
    this.#writer = new PubAckWriter(config.name, "");
  }

  /** What a publish is answered with. */
  publish(message: PublishMessage, now: number): string {
    const values = readHeaders(message.headers);
    const batch = readBatchHeaders(values);
    if (batch !== undefined) return this.#batched(batch, message, now);
    const last = this.#last(neededMessage(values, message.subject, this.#config));
    return this.#apply(message, checkPublish(message, values, this.#context(now), last));
  }

  #batched(batch: BatchHeaders, message: PublishMessage, now: number): string {
    const values = readHeaders(message.headers);
    const open = this.#batches.get(batch.id);
    const decision = decideBatch(batch, values, this.#config, {
      lastSeq: open === undefined ? undefined : BigInt(open.length),
      ofStream: this.#batches.size,
      ofServer: this.#batches.size,
    });
    if (decision.kind === "refuse") {
      if (decision.closes) this.#batches.delete(batch.id);
      return text(this.#writer.refused(decision.error));
    }
    const messages = [...(open ?? []), message];
    this.#batches.set(batch.id, messages);
    if (decision.kind === "stage") return "";
    this.#batches.delete(batch.id);
    const committed = messages.slice(0, decision.count);
    return this.#commit(batch.id, committed, now, batch.commit === "eob");
  }

  #commit(id: string, messages: readonly PublishMessage[], now: number, byEnd: boolean): string {
    const staged = new StagedBatch();
    const decisions: PublishDecision[] = [];
    for (const message of messages) {
      const values = readHeaders(message.headers);
      const last = this.#last(neededMessage(values, message.subject, this.#config));
      const decision = checkBatched(message, values, this.#context(now), staged, last);
      if (decision.kind === "refuse") return text(this.#writer.refused(decision.error));
      decisions.push(decision);
    }
    decisions.forEach((decision, i) => {
      const isLast = byEnd && i === decisions.length - 1 && decision.kind === "store";
      this.#apply(messages[i], isLast ? { ...decision, headers: endingBatch(decision.headers) } : decision);
    });
    return text(this.#writer.stored(this.#lastSeq, { batch: { id, count: messages.length } }));
  }

  #context(now: number): PublishContext {
    return {
      config: this.#config,
      lastSeq: this.#lastSeq,
      lastMsgId: this.#lastMsgId,
      lastSeqOf: (filter) =>
        this.messages.findLast(({ subject }) => subjectsCollide(subject, filter))?.seq ?? 0,
      duplicateOf: (id) => this.#ids.get(id) ?? 0,
      maxPayload: 1_048_576,
      now,
      zones: this.#zones,
    };
  }

  #last(subject: string | undefined): LastMessage | undefined {
    return this.messages.findLast((message) => message.subject === subject);
  }

  #apply({ subject }: PublishMessage, decision: PublishDecision): string {
    if (decision.kind === "refuse") return text(this.#writer.refused(decision.error));
    if (decision.kind === "duplicate") return text(this.#writer.stored(decision.seq, { duplicate: true }));
    const ours = this.messages.filter((message) => message.subject === subject);
    const full = refusedByLimits(
      this.#config,
      { messages: this.messages.length, bytes: 0, ofSubject: ours.length, firstBytes: () => 0 },
      0,
      decision.rollup !== undefined,
    );
    if (full !== undefined) return text(this.#writer.refused(full));
    const { headers, payload, msgId, counter, rollup } = decision;
    const seq = ++this.#lastSeq;
    this.#lastMsgId = msgId;
    if (msgId !== "") this.#ids.set(msgId, seq);
    const limit = this.#config.maxMsgsPerSubject;
    if (rollup === "all") this.messages = [];
    else if (rollup === "sub") this.messages = this.messages.filter((message) => message.subject !== subject);
    else if (limit > 0 && ours.length >= limit) this.messages.splice(this.messages.indexOf(ours[0]), 1);
    this.messages.push({ subject, headers, payload, seq });
    const values = readHeaders(headers);
    const scheduler = values.get("Nats-Schedule-Next") === "purge" ? values.get("Nats-Scheduler") : undefined;
    this.messages = this.messages.filter((message) => message.subject !== scheduler);
    return text(this.#writer.stored(seq, { value: counter }));
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
