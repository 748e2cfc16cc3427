import { EMPTY } from "../../protocol/text.ts";
import { StorageError } from "../../storage/errors.ts";
import { batchAbandoned } from "../api/events.ts";
import { type ApiError, apiError } from "../errors.ts";
import { type AbandonReason, type BatchHeaders, decideBatch, endingBatch } from "../publish/batch.ts";
import { checkBatched, StagedBatch } from "../publish/batch-check.ts";
import { sizeOf } from "../publish/check.ts";
import { HEADERS, type HeaderValues, withoutHeaders } from "../publish/headers.ts";
import { BatchRoom } from "../publish/room.ts";
import { IdleTimer } from "./idle-timer.ts";
import { type Act, copied, type Incoming } from "./incoming.ts";
import { OpenBatches } from "./open-batches.ts";
import { publishContext, type Read, readFor } from "./reads.ts";
import type { DecidedMessage, IngestRules } from "./writer.ts";

/** A message that waits for the end of its batch. */
interface StagedMessage extends Incoming {
  readonly values: HeaderValues;
}

/** A batch that has begun. */
interface OpenBatch {
  readonly id: string;
  readonly messages: StagedMessage[];
  readonly idle: IdleTimer;
  bytes: number;
}

/**
 * Batches that are stored all or none (behaviour.md D.5, ADR-50). Their messages wait in memory; at the end all are checked, then stored at once.
 */
export class AtomicBatches extends OpenBatches<OpenBatch> {
  protected isAllowed({ config }: IngestRules): boolean {
    return config.allowAtomic;
  }

  /** A message of a batch. What is returned is done with it once it is there: something had to be read. */
  take(message: Incoming, values: HeaderValues, headers: BatchHeaders): Promise<Act> | undefined {
    const { answers, account } = this.parts;
    const { batches } = account;
    const { config } = this.rules;
    const { reply } = message;
    const refused = this.#refused(message);
    if (refused !== undefined) {
      answers.refuse(reply, refused);
      return undefined;
    }
    const open = this.open.get(headers.id);
    const decision = decideBatch(
      headers,
      values,
      config,
      {
        lastSeq: open && BigInt(open.messages.length),
        ofStream: this.open.size,
        ofServer: batches.atomic,
      },
      batches.atomicLimits,
    );
    if (decision.kind === "refuse") {
      if (decision.closes) this.#giveUp(headers.id, decision.reason);
      answers.refuse(reply, decision.error);
      return undefined;
    }
    const batch = open ?? this.#begin(headers.id);
    if (headers.commit !== "eob" && !this.#stage(batch, message, values)) {
      answers.refuse(reply, apiError(10210));
      return undefined;
    }
    if (decision.kind === "commit") return this.#commit(batch, reply, headers.commit === "eob");
    batch.idle.touch();
    if (reply !== "") account.client.publish(reply, undefined, EMPTY);
    return undefined;
  }

  #refused({ subject, headers, payload }: Incoming): ApiError | undefined {
    const { sealed, maxMsgSize } = this.rules.config;
    if (sealed) return apiError(10109);
    const lacking = this.writer.lacking(subject, headers, payload);
    if (lacking !== undefined) return lacking;
    return maxMsgSize >= 0 && sizeOf(headers, payload) > maxMsgSize ? apiError(10054) : undefined;
  }

  #begin(id: string): OpenBatch {
    const { clock, batches } = this.parts.account;
    const idle = new IdleTimer(clock, batches.timeout, () => this.#giveUp(id, "timeout"));
    const batch = { id, messages: [], idle, bytes: 0 };
    this.open.set(id, batch);
    batches.atomic += 1;
    return batch;
  }

  /** Keeps a message until its batch ends. Returns whether there was room; if not, the batch is given up. */
  #stage(batch: OpenBatch, message: Incoming, values: HeaderValues): boolean {
    const { batches } = this.parts.account;
    const headers = values.has(HEADERS.requiredApiLevel)
      ? withoutHeaders(message.headers, (name) => name === HEADERS.requiredApiLevel)
      : message.headers;
    const size = sizeOf(headers, message.payload);
    if (batches.stagedBytes + size > batches.maxStagedBytes) {
      this.#giveUp(batch.id, "large");
      return false;
    }
    batch.messages.push({ ...copied({ ...message, headers }), values });
    batch.bytes += size;
    batches.stagedBytes += size;
    return true;
  }

  /** @param reason - what is told; undefined for nothing. */
  #giveUp(id: string, reason: AbandonReason | undefined): void {
    const batch = this.open.get(id);
    if (batch !== undefined) this.close(batch);
    if (reason === undefined) return;
    const { name } = this.rules.config;
    this.parts.account.tell(`$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.${name}`, (stamp) =>
      batchAbandoned(stamp, "", name, id, reason),
    );
  }

  protected close(batch: OpenBatch): void {
    const { batches } = this.parts.account;
    batch.idle.stop();
    this.open.delete(batch.id);
    batches.atomic -= 1;
    batches.stagedBytes -= batch.bytes;
  }

  /** A batch is complete. @param byEnd - whether an empty message behind the last has said so. */
  #commit(batch: OpenBatch, reply: string, byEnd: boolean): Promise<Act> | undefined {
    this.close(batch);
    const { store } = this.parts;
    const { config } = this.rules;
    const reads = batch.messages.map(({ subject, values }) => readFor(store, subject, values, config));
    if (reads.some((read) => read instanceof Promise)) {
      return Promise.all(reads).then((found) => () => this.#storeAll(batch, found, reply, byEnd));
    }
    this.#storeAll(batch, reads as Read[], reply, byEnd);
    return undefined;
  }

  #storeAll({ id, messages, bytes }: OpenBatch, reads: readonly Read[], reply: string, byEnd: boolean): void {
    const { answers, account } = this.parts;
    const now = account.clock.precise();
    const checked = this.#check(messages, reads, byEnd, now);
    if (!Array.isArray(checked)) {
      answers.refuse(reply, checked);
      return;
    }
    try {
      const count = checked.length;
      const last = this.writer.writeAll(checked, now) + count - 1;
      answers.storedWith(last, reply, bytes, { batch: { id, count } }, this.writer.rolled);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      answers.refuseAs(reply, error);
    }
  }

  /** What is to be stored of the messages; or why one of them is refused, and so all. */
  #check(
    messages: readonly StagedMessage[],
    reads: readonly Read[],
    byEnd: boolean,
    now: number,
  ): DecidedMessage[] | ApiError {
    const { config } = this.rules;
    const { room } = this.parts;
    const staged = new StagedBatch();
    const space = new BatchRoom(config, room.batchFill());
    const decided: DecidedMessage[] = [];
    let total = 0;
    for (const [i, message] of messages.entries()) {
      const { subject, values } = message;
      const context = publishContext(this.parts, config, reads[i], now);
      const decision = checkBatched(message, values, context, staged, reads[i].last);
      if (decision.kind === "refuse") return decision.error;
      if (decision.kind === "duplicate") return apiError(10201);
      const { headers, payload, rollup } = decision;
      const size = this.writer.sizeOf(subject, headers, payload);
      const full =
        space.refused(subject, size, rollup !== undefined) ?? this.writer.lackingBytes(total + size);
      if (full !== undefined) return full;
      total += size;
      const ends = byEnd && i === messages.length - 1;
      decided.push({
        subject,
        values,
        decision: ends ? { ...decision, headers: endingBatch(headers) } : decision,
      });
    }
    return decided;
  }
}
