import { messageOf } from "../../protocol/message-of.ts";
import { StorageError } from "../../storage/errors.ts";
import { ApiError, apiError } from "../errors.ts";
import { isRequestSupported } from "../metadata.ts";
import { byteLength } from "../names.ts";
import { MAX_BATCH_ID_LENGTH } from "../publish/batch.ts";
import { checkBatched, StagedBatch } from "../publish/batch-check.ts";
import { type PublishDecision, sizeOf } from "../publish/check.ts";
import { type FastBatch, flowError, flowGap, parseFastBatch } from "../publish/fast-batch.ts";
import { HEADERS, type HeaderValues, withoutHeaders } from "../publish/headers.ts";
import { BatchRoom } from "../publish/room.ts";
import { storeError } from "./answers.ts";
import { type FastOutlet, FastPublishing } from "./fast-publishing.ts";
import { IdleTimer } from "./idle-timer.ts";
import type { Act, Incoming } from "./incoming.ts";
import { OpenBatches } from "./open-batches.ts";
import { publishContext, type Read, readFor } from "./reads.ts";
import type { IngestRules } from "./writer.ts";

/** The error of a message that was stored before. */
const DUPLICATE = 10201;

/**
 * Fast ingest (behaviour.md D.6): many messages at once, with an answer now and then. Each is stored by itself; a batch is only the order in which
 * they come. The rules are those of nats-server's `processJetStreamFastBatchMsg`, but that a message counts once it is on disk.
 */
export class FastBatches extends OpenBatches<FastPublishing> {
  protected isAllowed({ config }: IngestRules): boolean {
    return config.allowBatched;
  }

  readonly #outlet: FastOutlet = {
    open: () => this.open.size,
    say: (reply, payload) => {
      if (reply !== "") this.parts.account.client.publish(reply, undefined, payload);
    },
    committed: (batch, reply, seq, count) => {
      this.close(batch);
      this.parts.answers.committed(seq, reply, { batch: { id: batch.id, count } });
    },
  };

  /** A message of fast ingest. What is returned is done with it once it is there: something had to be read. */
  take(message: Incoming, values: HeaderValues): Promise<Act> | undefined {
    const read = readFor(this.parts.store, message.subject, values, this.rules.config);
    if (read instanceof Promise) return read.then((found) => (copy) => this.#take(copy, values, found));
    this.#take(message, values, read);
    return undefined;
  }

  #take(message: Incoming, values: HeaderValues, read: Read): void {
    const said = parseFastBatch(message.reply) ?? "invalid";
    const refused = this.#refused(message, said);
    if (refused !== undefined || said === "invalid") {
      this.#refuse(message.reply, refused ?? apiError(10206));
      return;
    }
    const batch = this.#find(said);
    if (batch instanceof ApiError) {
      this.#refuse(message.reply, batch);
      return;
    }
    if (!isRequestSupported(values.get(HEADERS.requiredApiLevel) ?? "")) {
      this.close(batch);
      this.#refuse(message.reply, apiError(10185));
      return;
    }
    batch.idle?.touch();
    if (said.operation === "ping") this.#ping(batch, said.seq, message.reply);
    else if (!batch.ending && this.#follows(batch, said, message.reply)) {
      this.#store(batch, said, message, values, read);
    }
  }

  #refuse(reply: string, error: ApiError): void {
    if (!this.rules.config.noAck) this.parts.answers.refuse(reply, error);
  }

  #refused({ subject, headers, payload }: Incoming, said: FastBatch | "invalid"): ApiError | undefined {
    const { sealed, maxMsgSize, allowBatched } = this.rules.config;
    if (sealed) return apiError(10109);
    const lacking = this.writer.lacking(subject, headers, payload);
    if (lacking !== undefined) return lacking;
    if (maxMsgSize >= 0 && sizeOf(headers, payload) > maxMsgSize) return apiError(10054);
    if (!allowBatched) return apiError(10205);
    if (said === "invalid") return apiError(10206);
    return byteLength(said.id) > MAX_BATCH_ID_LENGTH ? apiError(10207) : undefined;
  }

  /** The batch of a message: one that is open, or a new one. */
  #find({ id, seq, operation, gapOk, flow }: FastBatch): FastPublishing | ApiError {
    const { batches, clock } = this.parts.account;
    const there = this.open.get(id);
    if (there !== undefined) return there;
    if (seq !== 1n || operation === "ping") return apiError(10208);
    const { maxPerStream, maxPerServer } = batches.fastLimits;
    if (this.open.size >= maxPerStream || batches.fast >= maxPerServer) return apiError(10211);
    const batch = new FastPublishing(id, gapOk, flow, this.#outlet);
    this.open.set(id, batch);
    batches.fast += 1;
    batch.begin();
    batch.idle = new IdleTimer(clock, batches.timeout, () => this.close(batch));
    return batch;
  }

  protected close(batch: FastPublishing): void {
    batch.idle?.stop();
    if (!this.open.delete(batch.id)) return;
    this.parts.account.batches.fast -= 1;
  }

  /** The publisher asks what has come. */
  #ping(batch: FastPublishing, seq: bigint, reply: string): void {
    if (seq > batch.lastSeq) {
      this.#outlet.say(reply, flowGap(batch.lastSeq + 1n, seq + 1n));
      if (batch.gapOk) {
        batch.leap(seq);
        if (batch.acknowledge(reply)) return;
      } else if (batch.commit(reply)) return;
    }
    batch.repeat(reply);
  }

  /** Whether a message is the next of its batch, and is to be stored. */
  #follows(batch: FastPublishing, { seq, operation }: FastBatch, reply: string): boolean {
    const next = batch.lastSeq + 1n;
    if (seq !== next) this.#outlet.say(reply, flowGap(next, seq));
    if (seq !== next && !(batch.gapOk && seq > next)) {
      batch.commit(reply);
      return false;
    }
    if (operation === "commit-eob") {
      if (seq > next) batch.leap(seq - 1n);
      batch.skipped(true);
      batch.commit(reply);
      return false;
    }
    batch.lastSeq = seq;
    if (seq === 1n && operation !== "commit" && !this.rules.config.noAck) batch.greet(reply);
    return true;
  }

  #store(batch: FastPublishing, said: FastBatch, message: Incoming, values: HeaderValues, read: Read): void {
    const { account, answers } = this.parts;
    const { subject, reply } = message;
    const now = account.clock.precise();
    const decision = this.#decide(message, values, read, now);
    if (decision.kind !== "store") {
      this.#notStored(batch, said, decision, values, reply, now);
      return;
    }
    let seq: number;
    try {
      seq = this.writer.write({ subject, values, decision }, now);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#notStored(batch, said, { kind: "refuse", error: storeError(error) }, values, reply, now);
      return;
    }
    const { rolled } = this.writer;
    if (rolled !== undefined) this.#holdFor(batch, seq, rolled);
    answers.stored(seq, "", sizeOf(decision.headers, decision.payload));
    batch.stored(seq, said.seq, reply);
    if (said.operation === "commit") batch.commit(reply);
    batch.synced(this.parts.store.syncedSeq);
  }

  /** A message is acknowledged once what it takes the place of has gone. */
  #holdFor(batch: FastPublishing, seq: number, rolled: () => Promise<void>): void {
    const { answers, account, store } = this.parts;
    batch.hold(seq);
    const done = (): void => {
      batch.release(seq);
      if (this.open.get(batch.id) === batch) batch.synced(store.syncedSeq);
    };
    const failed = (error: unknown): void => {
      const why = messageOf(error);
      account.logger.error(`Stream '${account.name} > ${this.rules.config.name}': rollup: ${why}`);
      if (this.open.get(batch.id) === batch) batch.lost(apiError(10023));
    };
    answers.after(seq, () => {
      rolled().then(done, failed);
    });
  }

  #decide(message: Incoming, values: HeaderValues, read: Read, now: number): PublishDecision {
    const { config } = this.rules;
    const headers = values.has(HEADERS.requiredApiLevel)
      ? withoutHeaders(message.headers, (name) => name === HEADERS.requiredApiLevel)
      : message.headers;
    const context = publishContext(this.parts, config, read, now);
    const decision = checkBatched({ ...message, headers }, values, context, new StagedBatch(), read.last);
    if (decision.kind !== "store" || config.discard === "old") return decision;
    const size = this.writer.sizeOf(message.subject, decision.headers, decision.payload);
    const space = new BatchRoom(config, this.parts.room.batchFill());
    const error = space.refused(message.subject, size, decision.rollup !== undefined);
    return error === undefined ? decision : { kind: "refuse", error };
  }

  /** A message is refused, or was stored before. */
  #notStored(
    batch: FastPublishing,
    said: FastBatch,
    decision: Exclude<PublishDecision, { kind: "store" }>,
    values: HeaderValues,
    reply: string,
    now: number,
  ): void {
    const error = decision.kind === "refuse" ? decision.error : apiError(DUPLICATE);
    const commits = said.operation === "commit";
    const wasThere = error.errCode === DUPLICATE;
    if (wasThere) {
      batch.skipped(true);
      batch.acknowledge(reply);
      if (!commits) return;
    }
    if (!said.gapOk && batch.lastSeq === 1n) {
      this.close(batch);
      this.#refuseFirst(
        batch.id,
        said.seq,
        error,
        wasThere ? (values.get(HEADERS.msgId) ?? "") : "",
        reply,
        now,
      );
      return;
    }
    if (!wasThere) this.#outlet.say(reply, flowError(said.seq, error));
    if (said.gapOk && !commits) return;
    if (!wasThere) batch.skipped(false);
    batch.commit(reply);
  }

  /** The first message of a batch is answered like one that is in none. @param msgId - that was there before; "" for another error. */
  #refuseFirst(id: string, count: bigint, error: ApiError, msgId: string, reply: string, now: number): void {
    const { answers, duplicates } = this.parts;
    const seq = msgId === "" ? 0 : duplicates.seqOf(msgId, now);
    if (seq === 0) answers.refuse(reply, error);
    else answers.committed(seq, reply, { duplicate: true, batch: { id, count } });
  }

  /** All up to a sequence is on disk. */
  synced(seq: number): void {
    for (const batch of [...this.open.values()]) batch.synced(seq);
  }

  /** All that is not on disk has come to nothing. */
  refused(reason: StorageError): void {
    for (const batch of [...this.open.values()]) batch.lost(storeError(reason));
  }
}
