import { encodeText } from "../../protocol/text.ts";
import { StorageError } from "../../storage/errors.ts";
import { type MessageInput, TTL_NEVER as STORE_TTL_NEVER, type StreamStore } from "../../storage/store.ts";
import type { AccountContext } from "../account/context.ts";
import type { Consumers } from "../consumer/consumers.ts";
import { type ApiError, apiError } from "../errors.ts";
import { endingBatch } from "../publish/batch.ts";
import { type PublishDecision, sizeOf } from "../publish/check.ts";
import { HEADERS, type HeaderValues } from "../publish/headers.ts";
import { type Fill, refusedByLimits } from "../publish/room.ts";
import { type MessageTtl, TTL_NEVER } from "../publish/ttl.ts";
import type { Answers } from "./answers.ts";
import type { CompleteBatch } from "./atomic-batches.ts";
import type { StreamConfig } from "./config.ts";
import type { DuplicateWindow } from "./duplicates.ts";
import type { Answered, Incoming } from "./incoming.ts";
import type { JustStored, Republisher } from "./republisher.ts";
import type { RoomKeeper } from "./room-keeper.ts";
import type { SubjectRule } from "./subject-rule.ts";

/** What messages are stored with. */
export interface WriterParts {
  readonly account: AccountContext;
  readonly store: StreamStore;
  readonly answers: Answers;
  readonly duplicates: DuplicateWindow;
  readonly room: RoomKeeper;
  readonly consumers: Consumers;
  /**
   * Hears of each message that was stored.
   * @param ttl - in s; 0 for none of its own.
   * @param values - its headers; undefined without.
   */
  stored(seq: number, now: number, ttl: number, values?: HeaderValues): void;
  /** Removes messages on a subject (or all) below a sequence, without keeping anybody waiting. */
  purge(subject: string | undefined, before: number): Promise<void>;
}

/** How the stream's rules apply to messages: changes with its configuration. */
export interface WriterRules {
  readonly config: StreamConfig;
  readonly transform: SubjectRule | undefined;
  readonly republisher: Republisher | undefined;
}

/** That a message is to be stored, and as what. */
export type StoreDecision = Extract<PublishDecision, { kind: "store" }>;

/** A rollup of more messages than these removes them once it is on disk, so that no call takes long. */
const ROLLUP_AT_ONCE = 1_024;

/** What is done once a message is on disk, before it is acknowledged. */
type Afterwards = (() => Promise<void>) | undefined;

/** Stores messages that have been decided about, with all that comes of it: limits, rollups, ids, answers. */
export class StreamWriter {
  readonly #parts: WriterParts;
  readonly #store: StreamStore;
  #rules: WriterRules;

  constructor(parts: WriterParts, rules: WriterRules) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#rules = rules;
  }

  /** Other rules, from the next message on. */
  configure(rules: WriterRules): void {
    this.#rules = rules;
  }

  /** Stores a message without headers, which nothing has to be decided about but its size. */
  plain(subject: string, payload: Uint8Array, reply: string): void {
    const { answers, account, duplicates, room } = this.#parts;
    const { maxMsgSize } = this.#rules.config;
    if (maxMsgSize >= 0 && payload.length > maxMsgSize) {
      answers.refuse(reply, apiError(10054));
      return;
    }
    const now = account.clock.now();
    const refused = this.#refused(subject, undefined, payload, false);
    if (refused !== undefined) {
      answers.refuse(reply, refused);
      return;
    }
    if (this.#isUnwanted(subject)) {
      this.#skip("", { reply }, now);
      return;
    }
    const again = this.#target(subject);
    const seq = this.#append({ subject, reply }, undefined, payload, now, 0);
    if (seq === 0) return;
    duplicates.lastId = "";
    room.make(seq, subject);
    answers.stored(seq, reply, payload.length);
    if (again !== undefined) this.#republish(again, { subject, headers: undefined, payload, seq, time: now });
    this.#parts.stored(seq, now, 0);
  }

  /** Stores a message as it was decided. */
  decided(message: Incoming, values: HeaderValues, decision: StoreDecision, now: number): void {
    const { answers, duplicates, room } = this.#parts;
    const { subject, reply } = message;
    const { headers, payload, msgId, counter, rollup } = decision;
    const refused = this.#refused(subject, headers, payload, rollup !== undefined);
    if (refused !== undefined) {
      this.refuse(message, refused);
      return;
    }
    if (this.#isUnwanted(subject)) {
      const seq = this.#skip(msgId, message, now);
      if (seq > 0) this.#rollUp(subject, values, decision, seq + 1);
      return;
    }
    const again = this.#target(subject);
    const ttl = secondsOf(decision.ttl);
    const seq = this.#append(message, headers, payload, now, ttl);
    if (seq === 0) return;
    message.origin?.stored(seq);
    duplicates.add(msgId, seq, now);
    room.make(seq, subject);
    const afterwards = this.#rollUp(subject, values, decision, seq);
    const size = sizeOf(headers, payload);
    if (afterwards === undefined && counter === undefined) answers.stored(seq, reply, size);
    else answers.storedWith(seq, reply, size, { value: counter }, afterwards);
    if (again !== undefined) this.#republish(again, { subject, headers, payload, seq, time: now });
    this.#parts.stored(seq, now, ttl, values);
  }

  /** Stores all messages of a batch, or none. */
  batch(batch: CompleteBatch, decisions: readonly DecidedMessage[], now: number): void {
    const { answers } = this.#parts;
    const full = this.#refusedBatch(decisions);
    if (full !== undefined) {
      answers.refuse(batch.reply, full);
      return;
    }
    const inputs = decisions.map(({ message, decision }, i): MessageInput => {
      const { headers, payload, ttl } = decision;
      const isLast = batch.endedBehind && i === decisions.length - 1;
      const block = isLast ? endingBatch(headers) : headers;
      return { subject: message.subject, headers: block, payload, time: now, ttl: secondsOf(ttl) };
    });
    const again = decisions.map(({ message }) => this.#target(message.subject));
    let first: number;
    try {
      first = this.#store.appendBatch(inputs);
    } catch (error) {
      this.#failed(error, batch);
      return;
    }
    const afterwards: Afterwards[] = [];
    decisions.forEach(({ message, values, decision }, i) => {
      const seq = first + i;
      const { subject, headers, payload } = inputs[i];
      this.#parts.duplicates.add(decision.msgId, seq, now);
      this.#parts.room.make(seq, subject);
      afterwards.push(this.#rollUp(subject, values, decision, seq));
      if (this.#isUnwanted(subject)) this.#store.remove(seq);
      else {
        const target = again[i];
        if (target !== undefined) this.#republish(target, { subject, headers, payload, seq, time: now });
        this.#parts.stored(seq, now, inputs[i].ttl, values);
      }
      answers.stored(seq, "", sizeOf(message.headers, message.payload));
    });
    const work = afterwards.filter((each) => each !== undefined);
    const all = work.length === 0 ? undefined : () => Promise.all(work.map((each) => each())).then(() => {});
    const last = first + decisions.length - 1;
    answers.storedWith(last, batch.reply, 0, { batch: { id: batch.id, count: decisions.length } }, all);
  }

  /** Whether there is no room, in the server, the account or the stream. */
  #refused(
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
    rollsUp: boolean,
  ): ApiError | undefined {
    const { config } = this.#rules;
    const { account, room } = this.#parts;
    if (account.isServerFull(config.storage)) return apiError(10023);
    const limit = this.#accountLimit();
    if (limit < 0 && config.discard === "old") return undefined;
    const size = this.#sizeOf(subject, headers, payload);
    if (limit >= 0 && account.usage.used[config.storage] + size > limit) return apiError(10002);
    return config.discard === "old" ? undefined : refusedByLimits(config, room.fill(subject), size, rollsUp);
  }

  #accountLimit(): number {
    const { limits } = this.#parts.account;
    return this.#rules.config.storage === "memory" ? limits.maxMemory : limits.maxStore;
  }

  #sizeOf(subject: string, headers: Uint8Array | undefined, payload: Uint8Array): number {
    return this.#store.accountedBytes(encodeText(subject).length, headers?.length ?? 0, payload.length);
  }

  /** The same for a batch: each message finds those before it in the stream. */
  #refusedBatch(decisions: readonly DecidedMessage[]): ApiError | undefined {
    const { config } = this.#rules;
    const { account, room } = this.#parts;
    const limit = this.#accountLimit();
    const onSubjects = new Map<string, number>();
    let bytes = 0;
    let count = 0;
    for (const { message, decision } of decisions) {
      const { subject } = message;
      const size = this.#sizeOf(subject, decision.headers, decision.payload);
      if (limit >= 0 && account.usage.used[config.storage] + bytes + size > limit) return apiError(10002);
      const found = room.fill(subject);
      const before = onSubjects.get(subject) ?? 0;
      const fill: Fill = {
        messages: found.messages + count,
        bytes: found.bytes + bytes,
        ofSubject: found.ofSubject + before,
        firstBytes: found.firstBytes,
      };
      const refused = refusedByLimits(config, fill, size, decision.rollup !== undefined);
      if (refused !== undefined) return refused;
      onSubjects.set(subject, before + 1);
      bytes += size;
      count += 1;
    }
    return undefined;
  }

  /** Whether the stream keeps only what consumers want, and none wants this. */
  #isUnwanted(subject: string): boolean {
    return this.#rules.config.retention === "interest" && !this.#parts.consumers.hasInterest(subject);
  }

  /** A message that nobody wants gets a number, and is forgotten. Returns it; 0 when the store refuses. */
  #skip(msgId: string, message: Answered, now: number): number {
    const { answers, duplicates } = this.#parts;
    try {
      const seq = this.#store.skip(1, now);
      message.origin?.stored(seq);
      duplicates.add(msgId, seq, now);
      answers.stored(seq, message.reply, 0);
      return seq;
    } catch (error) {
      return this.#failed(error, message);
    }
  }

  #append(
    message: Answered & { readonly subject: string },
    headers: Uint8Array | undefined,
    payload: Uint8Array,
    now: number,
    ttl: number,
  ): number {
    try {
      return this.#store.append(message.subject, headers, payload, now, ttl);
    } catch (error) {
      return this.#failed(error, message);
    }
  }

  #failed(error: unknown, message: Answered): 0 {
    if (!(error instanceof StorageError)) throw error;
    this.refuse(message, error);
    return 0;
  }

  /** Tells why a message is not stored. */
  refuse({ reply, origin }: Answered, error: ApiError | StorageError): void {
    const { answers } = this.#parts;
    if (error instanceof StorageError) answers.refuseAs(reply, error);
    else answers.refuse(reply, error);
    origin?.refused(error);
  }

  /** Removes what a message takes the place of: what is left of that to be done once it is on disk is returned. */
  #rollUp(subject: string, values: HeaderValues, { rollup }: StoreDecision, before: number): Afterwards {
    const { config } = this.#rules;
    const { room } = this.#parts;
    if (!config.allowRollupHdrs || config.denyPurge) return undefined;
    if (values.get(HEADERS.scheduleNext) === "purge") {
      const scheduler = values.get(HEADERS.scheduler) ?? "";
      if (scheduler !== "") room.removeOfSubject(scheduler, before);
    }
    if (rollup === undefined) return undefined;
    const { state } = this.#store;
    const count = rollup === "all" ? state.messages : (this.#store.subject(subject)?.messages ?? 0);
    if (count > ROLLUP_AT_ONCE)
      return () => this.#parts.purge(rollup === "all" ? undefined : subject, before);
    if (rollup === "sub") room.removeOfSubject(subject, before);
    else while (state.messages > 0 && state.firstSeq < before && room.remove(state.firstSeq, before));
    return undefined;
  }

  /** Where a message is published once more, and the last sequence on its subject before it; undefined for nowhere. */
  #target(subject: string): RepublishTarget | undefined {
    const to = this.#rules.republisher?.target(subject);
    return to === undefined ? undefined : { to, lastSeq: this.#store.subject(subject)?.lastSeq ?? 0 };
  }

  #republish({ to, lastSeq }: RepublishTarget, message: Omit<JustStored, "lastSeq">): void {
    const { republisher } = this.#rules;
    const copy = {
      ...message,
      lastSeq,
      headers: message.headers?.slice(),
      payload: message.payload.slice(),
    };
    this.#parts.answers.after(message.seq, () => republisher?.publish(to, copy));
  }
}

/** A message of a batch, and what was decided about it. */
export interface DecidedMessage {
  readonly message: Incoming;
  readonly values: HeaderValues;
  readonly decision: StoreDecision;
}

interface RepublishTarget {
  readonly to: string;
  readonly lastSeq: number;
}

function secondsOf(ttl: MessageTtl): number {
  return ttl === TTL_NEVER ? STORE_TTL_NEVER : Math.min(ttl, STORE_TTL_NEVER - 1);
}
