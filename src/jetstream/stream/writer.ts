import { encodeText } from "../../protocol/text.ts";
import { TTL_NEVER as STORE_TTL_NEVER, type StreamStore } from "../../storage/store.ts";
import type { AccountContext } from "../account/context.ts";
import type { Consumers } from "../consumer/consumers.ts";
import { type ApiError, apiError } from "../errors.ts";
import type { StoreDecision } from "../publish/check.ts";
import { HEADERS, type HeaderValues } from "../publish/headers.ts";
import { refusedByLimits } from "../publish/room.ts";
import { type MessageTtl, TTL_NEVER } from "../publish/ttl.ts";
import { isWithoutWildcards } from "../subjects.ts";
import type { Answers } from "./answers.ts";
import type { StreamConfig } from "./config.ts";
import type { DuplicateWindow } from "./duplicates.ts";
import type { FromOrigin } from "./from-origin.ts";
import { laterBy, timeAfter } from "./message-time.ts";
import type { Republisher } from "./republisher.ts";
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
  /** Hears of each message that was stored: of its time (ms since the epoch), and of its TTL (s; 0 without). */
  stored(time: number, ttl: number): void;
  /** Removes messages on a subject (or all) below a sequence, without keeping anybody waiting. */
  purge(subject: string | undefined, before: number): Promise<void>;
}

/** How the stream's rules apply to messages: changes with its configuration. */
export interface IngestRules {
  readonly config: StreamConfig;
  readonly transform: SubjectRule | undefined;
  readonly republisher: Republisher | undefined;
  /** Hears of messages that schedule others. */
  readonly schedules: ScheduleListener | undefined;
}

/** Hears what is stored, where messages may schedule others. */
export interface ScheduleListener {
  /** A message was stored. @param time - when, in ms since the epoch. */
  stored(seq: number, subject: string, values: HeaderValues, time: number): void;
}

/** A message that is to be stored. */
export interface DecidedMessage {
  readonly subject: string;
  readonly values: HeaderValues;
  readonly decision: StoreDecision;
  /** Set when it comes from another stream. */
  readonly origin?: FromOrigin;
}

/** A rollup of more messages than these removes them once it is on disk, so that no call takes long. */
const ROLLUP_AT_ONCE = 1_024;
const NO_HEADERS: HeaderValues = new Map();

/** Stores messages that have been decided about: with their ids, and all that follows from them being stored. */
export class Writer {
  readonly #parts: WriterParts;
  readonly #store: StreamStore;
  #rules: IngestRules;
  /** What must be done, once what was stored last is on disk, before it is acknowledged. */
  rolled: (() => Promise<void>) | undefined;

  constructor(parts: WriterParts, rules: IngestRules) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#rules = rules;
  }

  /** Other rules, from the next message on. */
  configure(rules: IngestRules): void {
    this.#rules = rules;
  }

  /** Why there is no room for a message in the server, the account or the stream. */
  refused(
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
    rollsUp: boolean,
  ): ApiError | undefined {
    const { config } = this.#rules;
    if (config.discard === "old") return this.lacking(subject, headers, payload);
    const size = this.sizeOf(subject, headers, payload);
    return this.lackingBytes(size) ?? refusedByLimits(config, this.#parts.room.fill(subject), size, rollsUp);
  }

  /** Why there is no room for a message in the server or the account. */
  lacking(subject: string, headers: Uint8Array | undefined, payload: Uint8Array): ApiError | undefined {
    const { account } = this.#parts;
    if (account.isServerFull(this.#rules.config.storage)) return apiError(10023);
    if (this.#accountLimit < 0) return undefined;
    return this.lackingBytes(this.sizeOf(subject, headers, payload));
  }

  /** Why there is no room for so many bytes in the server or the account. */
  lackingBytes(size: number): ApiError | undefined {
    const { account } = this.#parts;
    const { storage } = this.#rules.config;
    if (account.isServerFull(storage)) return apiError(10023);
    const limit = this.#accountLimit;
    return limit >= 0 && account.usage.used[storage] + size > limit ? apiError(10002) : undefined;
  }

  /** The most bytes that the account may store in the way that the stream does; below 0 without a limit. */
  get #accountLimit(): number {
    const { limits } = this.#parts.account;
    return this.#rules.config.storage === "memory" ? limits.maxMemory : limits.maxStore;
  }

  /** The bytes of a message, as the store counts them. */
  sizeOf(subject: string, headers: Uint8Array | undefined, payload: Uint8Array): number {
    return this.#store.accountedBytes(encodeText(subject).length, headers?.length ?? 0, payload.length);
  }

  /** When a message that comes now is said to have been stored. */
  #timeAt(now: number): number {
    return timeAfter(this.#store.state.lastTime, now);
  }

  /** Stores a message without headers, and returns its sequence. @throws StorageError */
  writePlain(subject: string, payload: Uint8Array, now: number): number {
    const { duplicates, room } = this.#parts;
    this.rolled = undefined;
    const time = this.#timeAt(now);
    if (this.#isUnwanted(subject)) return this.#skip("", time);
    const { republisher, schedules } = this.#rules;
    const target = republisher?.target(subject);
    const before = target === undefined ? 0 : this.#lastOn(subject);
    const seq = this.#store.append(subject, undefined, payload, time);
    duplicates.lastId = "";
    room.make(seq, subject);
    schedules?.stored(seq, subject, NO_HEADERS, time);
    if (target !== undefined) this.#republish(target, subject, undefined, payload, seq, time, before);
    this.#parts.stored(time, 0);
    return seq;
  }

  /**
   * Stores a message, and returns its sequence; one that nobody wants gets a number, and is forgotten. Acknowledge it after {@link rolled}.
   * @throws StorageError
   */
  write({ subject, values, decision, origin }: DecidedMessage, now: number): number {
    const { headers, payload, msgId } = decision;
    this.rolled = undefined;
    const time = origin?.time ?? this.#timeAt(now);
    if (this.#isUnwanted(subject)) {
      const seq = this.#skip(msgId, time, origin);
      this.rolled = this.#rollUp(subject, values, decision, seq + 1);
      return seq;
    }
    const target = this.#rules.republisher?.target(subject);
    const before = target === undefined ? 0 : this.#lastOn(subject);
    const ttl = secondsOf(decision.ttl);
    const seq = this.#store.append(subject, headers, payload, time, ttl);
    origin?.stored(seq);
    this.rolled = this.#follow(seq, subject, values, decision, time);
    if (target !== undefined) this.#republish(target, subject, headers, payload, seq, time, before);
    this.#parts.stored(time, ttl);
    return seq;
  }

  /** Stores messages, all or none of which survive a crash; the first's sequence is returned. @throws StorageError */
  writeAll(messages: readonly DecidedMessage[], now: number): number {
    const targets = this.#targetsOf(messages);
    const from = this.#timeAt(now);
    const first = this.#store.appendBatch(
      messages.map(({ subject, decision }, i) => ({
        ...decision,
        subject,
        time: laterBy(from, i),
        ttl: secondsOf(decision.ttl),
      })),
    );
    const rolled: (() => Promise<void>)[] = [];
    let ahead = messages.length;
    let bytesAhead = 0;
    for (let i = 0; i < ahead; i++) bytesAhead += this.#store.bytesOf(first + i);
    messages.forEach(({ subject, values, decision }, i) => {
      const seq = first + i;
      const time = laterBy(from, i);
      ahead -= 1;
      bytesAhead -= this.#store.bytesOf(seq);
      const after = this.#isUnwanted(subject)
        ? this.#forget(seq, subject, values, decision, time)
        : this.#follow(seq, subject, values, decision, time, ahead, bytesAhead);
      if (after !== undefined) rolled.push(after);
      const { headers, payload } = decision;
      const target = targets?.[i];
      if (target !== undefined)
        this.#republish(target.to, subject, headers, payload, seq, time, target.before);
      this.#parts.stored(time, secondsOf(decision.ttl));
    });
    this.rolled = rolled.length === 0 ? undefined : () => inTurn(rolled);
    return first;
  }

  /** Where messages go that are published again, and the sequence before each on its subject; they are not stored yet. */
  #targetsOf(
    messages: readonly DecidedMessage[],
  ): ({ to: string; before: number } | undefined)[] | undefined {
    const { republisher } = this.#rules;
    if (republisher === undefined) return undefined;
    const last = new Map<string, number>();
    let seq = this.#store.state.lastSeq;
    return messages.map(({ subject }) => {
      const before = last.get(subject) ?? this.#lastOn(subject);
      seq += 1;
      if (this.#isUnwanted(subject)) return undefined;
      last.set(subject, seq);
      const to = republisher.target(subject);
      return to === undefined ? undefined : { to, before };
    });
  }

  #lastOn(subject: string): number {
    return this.#store.subject(subject)?.lastSeq ?? 0;
  }

  /** What follows from a message being stored. Returns what must be done before it is acknowledged. */
  #follow(
    seq: number,
    subject: string,
    values: HeaderValues,
    decision: StoreDecision,
    time: number,
    ahead: number = 0,
    bytesAhead: number = 0,
  ): (() => Promise<void>) | undefined {
    const { duplicates, room } = this.#parts;
    duplicates.add(decision.msgId, seq, time);
    room.make(seq, subject, ahead, bytesAhead);
    this.#rules.schedules?.stored(seq, subject, values, time);
    return this.#rollUp(subject, values, decision, seq);
  }

  /** A message of a batch that nobody wants was stored with the others, and goes. */
  #forget(
    seq: number,
    subject: string,
    values: HeaderValues,
    decision: StoreDecision,
    time: number,
  ): (() => Promise<void>) | undefined {
    this.#parts.duplicates.add(decision.msgId, seq, time);
    this.#store.remove(seq);
    return this.#rollUp(subject, values, decision, seq + 1);
  }

  /** Whether the stream keeps only what consumers want, and none wants this. */
  #isUnwanted(subject: string): boolean {
    return this.#rules.config.retention === "interest" && !this.#parts.consumers.hasInterest(subject);
  }

  #skip(msgId: string, time: number, origin?: FromOrigin): number {
    const seq = this.#store.skip(1, time);
    origin?.stored(seq);
    this.#parts.duplicates.add(msgId, seq, time);
    return seq;
  }

  /** Removes what a message takes the place of. Returns what must be done, once it is on disk, before it is acknowledged. */
  #rollUp(
    subject: string,
    values: HeaderValues,
    { rollup }: StoreDecision,
    before: number,
  ): (() => Promise<void>) | undefined {
    const { config } = this.#rules;
    if (!config.allowRollupHdrs || config.denyPurge) return undefined;
    const scheduler =
      values.get(HEADERS.scheduleNext) === "purge" ? (values.get(HEADERS.scheduler) ?? "") : "";
    const first = scheduler === "" ? undefined : this.#removeOn(scheduler, before);
    if (rollup === undefined) return first;
    const second = rollup === "sub" ? this.#removeOn(subject, before) : this.#removeAll(before);
    if (first === undefined || second === undefined) return first ?? second;
    return () => inTurn([first, second]);
  }

  /** Removes what is on a subject before a message. The subject of a message may have wildcards: it takes the place of all that match. */
  #removeOn(subject: string, before: number): (() => Promise<void>) | undefined {
    const { room, purge } = this.#parts;
    const count = this.#store.subject(subject)?.messages ?? 0;
    if (count > ROLLUP_AT_ONCE || !isWithoutWildcards(subject)) return () => purge(subject, before);
    room.removeBefore(subject, before);
    return undefined;
  }

  #removeAll(before: number): (() => Promise<void>) | undefined {
    const { room, purge } = this.#parts;
    const { state } = this.#store;
    if (state.messages > ROLLUP_AT_ONCE) return () => purge(undefined, before);
    while (state.messages > 0 && state.firstSeq < before && room.remove(state.firstSeq, before));
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

async function inTurn(actions: readonly (() => Promise<void>)[]): Promise<void> {
  for (const action of actions) await action();
}

function secondsOf(ttl: MessageTtl): number {
  return ttl === TTL_NEVER ? STORE_TTL_NEVER : Math.min(ttl, STORE_TTL_NEVER - 1);
}
