import type { Message } from "../../protocol/message.ts";
import { EMPTY, encodeText } from "../../protocol/text.ts";
import { StorageError } from "../../storage/errors.ts";
import { TTL_NEVER as STORE_TTL_NEVER, type StreamStore } from "../../storage/store.ts";
import type { AccountContext } from "../account/context.ts";
import type { Consumers } from "../consumer/consumers.ts";
import { type ApiError, apiError } from "../errors.ts";
import {
  checkPublish,
  type LastMessage,
  neededMessage,
  type PublishContext,
  type PublishDecision,
  sizeOf,
} from "../publish/check.ts";
import { HEADERS, type HeaderValues, readHeaders } from "../publish/headers.ts";
import { refusedByLimits } from "../publish/room.ts";
import { type MessageTtl, TTL_NEVER } from "../publish/ttl.ts";
import { STATUS } from "../status-frames.ts";
import { isWithoutWildcards } from "../subjects.ts";
import type { Answers } from "./answers.ts";
import type { StreamConfig } from "./config.ts";
import type { DuplicateWindow } from "./duplicates.ts";
import type { Republisher } from "./republisher.ts";
import type { RoomKeeper } from "./room-keeper.ts";
import type { SubjectRule } from "./subject-rule.ts";

/** What messages are stored with. */
export interface IngestParts {
  readonly account: AccountContext;
  readonly store: StreamStore;
  readonly answers: Answers;
  readonly duplicates: DuplicateWindow;
  readonly room: RoomKeeper;
  readonly consumers: Consumers;
}

/** How the stream's rules apply to messages: changes with its configuration. */
export interface IngestRules {
  readonly config: StreamConfig;
  readonly transform: SubjectRule | undefined;
  readonly republisher: Republisher | undefined;
}

/** A message on its way into a stream. Its arrays may be used until the call that brings it returns. */
export interface Incoming {
  readonly subject: string;
  readonly headers: Uint8Array | undefined;
  readonly payload: Uint8Array;
  /** Where the publisher listens for the answer; "" for nowhere. */
  readonly reply: string;
  /** Whether another stream, or this one itself, has checked it already. */
  readonly sourced: boolean;
}

type Store = Extract<PublishDecision, { kind: "store" }>;

/** Bytes that may wait for the disk; beyond, publishers are told to slow down (nats-server `streamDefaultMaxQueueBytes`). */
const MAX_WAITING_BYTES = 128 * 1024 * 1024;
/** A rollup of more messages than these removes them once it is on disk, so that no call takes long. */
const ROLLUP_AT_ONCE = 1_024;

/** Takes messages into a stream: decides about each, stores it, and has its publisher answered. */
export class Ingest {
  readonly #parts: IngestParts;
  readonly #store: StreamStore;
  #rules: IngestRules;
  /** Whether messages without headers need no more than a look at their size. */
  #simple = false;
  /** Messages behind one for which something has to be read first. */
  readonly #backlog: Incoming[] = [];
  /** Called when a message has been stored that is due by a TTL of its own, or by the stream's age limit. */
  readonly #stored: (now: number, ttl: number) => void;
  readonly #purge: (subject: string | undefined, before: number) => Promise<void>;

  /**
   * @param stored - hears of each message that was stored.
   * @param purge - removes messages on a subject (or all) below a sequence, without keeping anybody waiting.
   */
  constructor(
    parts: IngestParts,
    rules: IngestRules,
    stored: (now: number, ttl: number) => void,
    purge: (subject: string | undefined, before: number) => Promise<void>,
  ) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#stored = stored;
    this.#purge = purge;
    this.#rules = rules;
    this.configure(rules);
  }

  /** Other rules, from the next message on. */
  configure(rules: IngestRules): void {
    this.#rules = rules;
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
    if (this.#parts.answers.waitingBytes > MAX_WAITING_BYTES) {
      if (reply !== "") this.#parts.account.client.publish(reply, STATUS.tooManyRequests(), EMPTY);
      return;
    }
    if (this.#simple && headers === undefined && this.#backlog.length === 0) {
      this.#storePlain(subject, payload, reply, config);
      return;
    }
    this.bring({ subject, headers, payload, reply, sourced: false });
  }

  /** Stores a message by its headers; later, if others wait or something must be read from disk first. */
  bring(message: Incoming): void {
    if (this.#backlog.length > 0) {
      this.#backlog.push(copied(message));
      return;
    }
    const values = readHeaders(message.headers);
    const wait = this.#process(message, values);
    if (wait === undefined) return;
    this.#backlog.push(copied(message));
    void this.#workOff(wait);
  }

  /** Whether messages wait for something to be read. */
  get busy(): boolean {
    return this.#backlog.length > 0;
  }

  async #workOff(first: Promise<Read>): Promise<void> {
    let read: Promise<Read> | undefined = first;
    while (this.#backlog.length > 0) {
      const message = this.#backlog[0];
      const values = readHeaders(message.headers);
      if (read !== undefined) this.#decide(message, values, await read);
      else {
        read = this.#process(message, values);
        if (read !== undefined) continue;
      }
      read = undefined;
      this.#backlog.shift();
    }
  }

  /** Stores a message, unless something must be read first: that is returned. */
  #process(message: Incoming, values: HeaderValues): Promise<Read> | undefined {
    const { config } = this.#rules;
    const needed = values.size === 0 ? undefined : neededMessage(values, message.subject, config);
    const filter = values.get(HEADERS.expectedLastSubjectSeqSubject) ?? "";
    const last = needed === undefined ? undefined : this.#lastOn(needed);
    const lastSeq = isWithoutWildcards(filter) ? 0 : this.#lastSeqOn(filter);
    if (last instanceof Promise || lastSeq instanceof Promise) {
      return Promise.all([last, lastSeq]).then(([message, seq]) => ({ last: message, lastSeq: seq }));
    }
    this.#decide(message, values, { last, lastSeq });
    return undefined;
  }

  #lastOn(subject: string): LastMessage | undefined | Promise<LastMessage | undefined> {
    const there = this.#store.subject(subject);
    return there && this.#store.get(there.lastSeq);
  }

  #lastSeqOn(filter: string): number | Promise<number> {
    const subjects = this.#store.filter([filter]);
    const found = this.#store.previous(subjects, this.#store.state.lastSeq);
    if (found instanceof Promise) return found.finally(() => subjects.close());
    subjects.close();
    return found;
  }

  #decide(message: Incoming, values: HeaderValues, { last, lastSeq }: Read): void {
    const { account, duplicates, answers } = this.#parts;
    const now = account.clock.now();
    const store = this.#store;
    const context: PublishContext = {
      config: this.#rules.config,
      lastSeq: store.state.lastSeq,
      lastMsgId: duplicates.lastId,
      lastSeqOf: (filter) => (isWithoutWildcards(filter) ? (store.subject(filter)?.lastSeq ?? 0) : lastSeq),
      duplicateOf: (id) => duplicates.seqOf(id, now),
      maxPayload: account.maxPayload(),
      now,
      zones: account.zones,
    };
    const decision = checkPublish(message, values, context, last);
    if (decision.kind === "refuse") answers.refuse(message.reply, decision.error);
    else if (decision.kind === "duplicate") answers.duplicate(message.reply, decision.seq);
    else this.#storeDecided(message, values, decision, now);
  }

  #storePlain(subject: string, payload: Uint8Array, reply: string, config: StreamConfig): void {
    const { answers, account, duplicates, room } = this.#parts;
    if (config.maxMsgSize >= 0 && payload.length > config.maxMsgSize) {
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
      this.#skip("", reply, now);
      return;
    }
    const target = this.#rules.republisher?.target(subject);
    const lastSeq = target === undefined ? 0 : (this.#store.subject(subject)?.lastSeq ?? 0);
    const seq = this.#append(subject, undefined, payload, now, 0, reply);
    if (seq === 0) return;
    duplicates.lastId = "";
    room.make(seq, subject);
    answers.stored(seq, reply, payload.length);
    if (target !== undefined) this.#republish(target, subject, undefined, payload, seq, now, lastSeq);
    this.#stored(now, 0);
  }

  #storeDecided(message: Incoming, values: HeaderValues, decision: Store, now: number): void {
    const { answers, duplicates, room } = this.#parts;
    const { subject, reply } = message;
    const { headers, payload, msgId, counter, rollup } = decision;
    const refused = this.#refused(subject, headers, payload, rollup !== undefined);
    if (refused !== undefined) {
      answers.refuse(reply, refused);
      return;
    }
    if (this.#isUnwanted(subject)) {
      const seq = this.#skip(msgId, reply, now);
      if (seq > 0) this.#rollUp(message, values, decision, seq + 1);
      return;
    }
    const target = this.#rules.republisher?.target(subject);
    const lastSeq = target === undefined ? 0 : (this.#store.subject(subject)?.lastSeq ?? 0);
    const ttl = secondsOf(decision.ttl);
    const seq = this.#append(subject, headers, payload, now, ttl, reply);
    if (seq === 0) return;
    duplicates.add(msgId, seq, now);
    room.make(seq, subject);
    const rolled = this.#rollUp(message, values, decision, seq);
    const size = sizeOf(headers, payload);
    if (rolled === undefined && counter === undefined) answers.stored(seq, reply, size);
    else answers.storedWith(seq, reply, size, { value: counter }, rolled);
    if (target !== undefined) this.#republish(target, subject, headers, payload, seq, now, lastSeq);
    this.#stored(now, ttl);
  }

  /** Whether there is no room, in the server, the account or the stream. */
  #refused(
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
    rollsUp: boolean,
  ): ApiError | undefined {
    const { account, room } = this.#parts;
    const { config } = this.#rules;
    if (account.isServerFull(config.storage)) return apiError(10023);
    const limit = config.storage === "memory" ? account.limits.maxMemory : account.limits.maxStore;
    if (limit < 0 && config.discard === "old") return undefined;
    const size = this.#store.accountedBytes(encodeText(subject).length, headers?.length ?? 0, payload.length);
    if (limit >= 0 && account.usage.used[config.storage] + size > limit) return apiError(10002);
    return config.discard === "old" ? undefined : refusedByLimits(config, room.fill(subject), size, rollsUp);
  }

  /** Whether the stream keeps only what consumers want, and none wants this. */
  #isUnwanted(subject: string): boolean {
    return this.#rules.config.retention === "interest" && !this.#parts.consumers.hasInterest(subject);
  }

  /** A message that nobody wants gets a number, and is forgotten. Returns it; 0 when the store refuses. */
  #skip(msgId: string, reply: string, now: number): number {
    const { answers, duplicates } = this.#parts;
    try {
      const seq = this.#store.skip(1, now);
      duplicates.add(msgId, seq, now);
      answers.stored(seq, reply, 0);
      return seq;
    } catch (error) {
      return this.#refuse(error, reply);
    }
  }

  #append(
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
    now: number,
    ttl: number,
    reply: string,
  ): number {
    try {
      return this.#store.append(subject, headers, payload, now, ttl);
    } catch (error) {
      return this.#refuse(error, reply);
    }
  }

  #refuse(error: unknown, reply: string): 0 {
    if (!(error instanceof StorageError)) throw error;
    this.#parts.answers.refuseAs(reply, error);
    return 0;
  }

  /** Removes what a message takes the place of. Returns what must be done, once it is on disk, before it is acknowledged. */
  #rollUp(
    { subject }: Incoming,
    values: HeaderValues,
    { rollup }: Store,
    before: number,
  ): (() => Promise<void>) | undefined {
    const { config } = this.#rules;
    const { room } = this.#parts;
    if (!config.allowRollupHdrs || config.denyPurge) return undefined;
    if (values.get(HEADERS.scheduleNext) === "purge") {
      const scheduler = values.get(HEADERS.scheduler) ?? "";
      if (scheduler !== "") room.keepOfSubject(scheduler, 0, before);
    }
    if (rollup === undefined) return undefined;
    const { state } = this.#store;
    const count = rollup === "all" ? state.messages : (this.#store.subject(subject)?.messages ?? 0);
    if (count > ROLLUP_AT_ONCE) return () => this.#purge(rollup === "all" ? undefined : subject, before);
    if (rollup === "sub") room.keepOfSubject(subject, this.#store.has(before) ? 1 : 0, before);
    else while (state.messages > 0 && state.firstSeq < before && room.remove(state.firstSeq, before));
    return undefined;
  }

  #republish(
    target: string,
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
    seq: number,
    time: number,
    lastSeq: number,
  ): void {
    const { republisher } = this.#rules;
    const message = { seq, subject, headers: headers?.slice(), payload: payload.slice(), time, lastSeq };
    this.#parts.answers.after(seq, () => republisher?.publish(target, message));
  }
}

/** What was read before a message could be decided about. */
interface Read {
  readonly last: LastMessage | undefined;
  /** On the subjects with wildcards that the message expects something of. */
  readonly lastSeq: number;
}

function copied(message: Incoming): Incoming {
  return { ...message, headers: message.headers?.slice(), payload: message.payload.slice() };
}

function secondsOf(ttl: MessageTtl): number {
  return ttl === TTL_NEVER ? STORE_TTL_NEVER : Math.min(ttl, STORE_TTL_NEVER - 1);
}
