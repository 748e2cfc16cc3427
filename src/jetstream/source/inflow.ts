import type { Ending } from "../../broker/internal-client.ts";
import { hasText } from "../../protocol/bytes.ts";
import type { Message } from "../../protocol/message.ts";
import { EMPTY, encodeText } from "../../protocol/text.ts";
import type { Timer } from "../../seams/clock.ts";
import type { StorageError } from "../../storage/errors.ts";
import type { AccountContext } from "../account/context.ts";
import { parseAckSubject } from "../consumer/acks.ts";
import { randomName } from "../consumer/names.ts";
import { type ApiError, apiError } from "../errors.ts";
import type { StreamSource } from "../stream/source.ts";
import { consumerOfReply, headerOf } from "./names.ts";
import {
  type Beginning,
  consumerRequest,
  deleteRequest,
  deliverSubject,
  HEARTBEAT_MS,
  type OriginConsumer,
  type OriginRequest,
  progress,
  readConsumerResponse,
  resetRequest,
  SILENCE_MS,
} from "./request.ts";

/** A consumer is asked for at most so often, in ms. */
const RETRY_MS = 2_000;
/** For each time in a row that it was not made, so long is waited more, up to a limit, in ms. */
const BACK_OFF_MS = 10_000;
const LONGEST_BACK_OFF_MS = 120_000;
/** Copies of one origin do not all ask at once: so long is waited before, and up to as long again, in ms. */
const JITTER_MS = 100;
/** How long an answer is waited for, in ms: for a new consumer, and for one that there is. */
const CREATE_WAIT_MS = 30_000;
const RESET_WAIT_MS = 5_000;
const TOKEN_LENGTH = 8;
const INBOX_LENGTH = 22;

/** A message of an origin. It may be used until the call that brings it returns. */
export interface OriginMessage {
  readonly subject: string;
  readonly headers: Uint8Array | undefined;
  readonly payload: Uint8Array;
  /** Its sequence there. */
  readonly seq: number;
  /** When it was stored there, in ms since the epoch. */
  readonly time: number;
}

/** A stretch of messages that come one after the other, from one consumer. Once one could not be stored, those behind it are not either. */
export interface Stretch {
  readonly live: boolean;
  /** The message has been dealt with. */
  done(): void;
  /** It could not be stored: all comes once more from it on. */
  failed(error: ApiError | StorageError): void;
}

/** What takes the messages of an origin: a mirror, or a source. */
export interface InflowEnd {
  readonly kind: "mirror" | "source";
  readonly source: StreamSource;
  readonly account: AccountContext;
  /** What it is in log lines. */
  readonly title: string;
  /** The name of the consumer to ask for. */
  consumerName(): string;
  /** What that consumer says of who uses it. */
  metadata(): Readonly<Record<string, string>>;
  /** Where to begin. */
  beginning(): Beginning;
  /** The sequence, there, of the last message that was dealt with. */
  position(): number;
  /** A consumer is there; messages up to a sequence will not come. @throws StorageError */
  connected(delivered: number): void;
  /** Deals with the next message, now or soon, and says so once to `stretch`. @param pending - how many are behind it. */
  take(message: OriginMessage, stretch: Stretch, pending: number): void;
  /** Resolves once what was taken until now is on disk; undefined when it is. */
  settled(): Promise<void> | undefined;
  /** The origin is alive: about once a second. */
  tick(): void;
}

/** A connection to an origin: a consumer of it, asked for again and again when it fails or falls silent. */
export class Inflow {
  readonly #end: InflowEnd;
  #ended = false;
  /** Undefined while there is no consumer. */
  #run: Run | undefined;
  #asking = false;
  /** Whether the origin's server knows about consumers of this kind. */
  #sourcing = true;
  /** Whether the consumer outlives the connection. */
  #lasting = false;
  #fails = 0;
  #askedAt = -Infinity;
  #heardAt: number | undefined;
  /** Messages on their way into the stream. */
  #underway = 0;
  #timer: Timer | undefined;
  #stopAsking: Ending = () => {};
  #error: ApiError | undefined;
  #lag = 0;

  /** Nothing runs before {@link open}. */
  constructor(end: InflowEnd) {
    this.#end = end;
  }

  /** How many messages it is behind. */
  get lag(): number {
    return this.#lag;
  }

  /** Whether the origin has been asked. */
  get used(): boolean {
    return this.#askedAt > -Infinity;
  }

  /** How long ago the origin was heard of, in ms; undefined when it never was. */
  get silence(): number | undefined {
    const { clock } = this.#end.account;
    return this.#heardAt === undefined ? undefined : clock.monotonic() - this.#heardAt;
  }

  /** Why there is no consumer, if the origin has said so. */
  get error(): ApiError | undefined {
    return this.#error;
  }

  /** Begins. */
  open(): void {
    this.#after(0, () => this.#ask());
  }

  /** The origin is there again, or another one of its name: it is asked soon. */
  poke(): void {
    if (!this.#ended && !this.#asking) this.#again(false);
  }

  /** What was taken has come to nothing: it begins anew. */
  restart(): void {
    if (this.#run !== undefined) this.#again(false);
  }

  /** Ends it. @param forever - whether nobody will use the consumer again. */
  close(forever: boolean): void {
    if (this.#ended) return;
    const consumer = this.#run?.consumer ?? "";
    this.#ended = true;
    this.#disconnect();
    this.#cancel();
    if (!forever || !this.#lasting || this.#end.source.consumer !== undefined || consumer === "") return;
    this.#publish(deleteRequest(this.#end.source, consumer), undefined);
  }

  #after(delay: number, action: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#end.account.clock.after(delay, () => {
      this.#timer = undefined;
      action();
    });
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#stopAsking();
    this.#asking = false;
  }

  #disconnect(): void {
    this.#run?.close();
    this.#run = undefined;
  }

  /** Something went wrong: asks for another consumer, in a while. */
  #again(failed: boolean): void {
    if (this.#ended) return;
    this.#disconnect();
    this.#cancel();
    this.#fails = failed ? this.#fails + 1 : 0;
    const { clock, random } = this.#end.account;
    const since = clock.monotonic() - this.#askedAt;
    const backOff = Math.min(LONGEST_BACK_OFF_MS, this.#fails * BACK_OFF_MS);
    const jitter = JITTER_MS * (1 + random.fraction());
    this.#after(Math.max(0, RETRY_MS - since) + backOff + jitter, () => this.#ask());
  }

  #ask(): void {
    if (this.#ended) return;
    if (this.#underway > 0) {
      // What is on its way may still be stored: only then is it known where to begin.
      this.#after(JITTER_MS, () => this.#ask());
      return;
    }
    const { account, source, kind } = this.#end;
    const { external, consumer } = source;
    this.#askedAt = account.clock.monotonic();
    this.#error = undefined;
    if (consumer !== undefined) {
      this.#send(resetRequest(source, consumer.name), RESET_WAIT_MS);
      return;
    }
    const token = randomName(account.random, TOKEN_LENGTH);
    const name = this.#end.consumerName();
    const request = consumerRequest({
      source,
      name: this.#sourcing ? name : `${name}_${randomName(account.random, TOKEN_LENGTH)}`,
      deliverSubject: deliverSubject(external, kind === "mirror" ? "M" : "S", token),
      beginning: this.#end.beginning(),
      metadata: this.#end.metadata(),
      sourcing: this.#sourcing,
    });
    this.#send(request, CREATE_WAIT_MS);
  }

  #send(request: OriginRequest, wait: number): void {
    const { account } = this.#end;
    const inbox = `_INBOX.${randomName(account.random, INBOX_LENGTH)}`;
    let answered = false;
    const end = account.client.subscribe(inbox, (message) => {
      if (answered) return;
      answered = true;
      const body = payloadOf(message).slice();
      // It comes inside of the call that publishes it.
      account.tasks.soon(() => {
        if (this.#stopAsking === end) this.#answered(body);
      });
    });
    this.#stopAsking = end;
    this.#asking = true;
    this.#after(wait, () => this.#again(true));
    this.#publish(request, inbox);
  }

  #publish({ subject, headers, body }: OriginRequest, reply: string | undefined): void {
    this.#end.account.client.publish(subject, headers, body, reply);
  }

  #answered(body: Uint8Array): void {
    this.#cancel();
    if (this.#ended) return;
    const consumer = readConsumerResponse(body);
    const error =
      consumer === undefined
        ? this.#setupFailed("invalid consumer create response")
        : this.#faultOf(consumer);
    if (error === undefined && consumer !== undefined) this.#connect(consumer);
    else if (this.#sourcing && (error?.errCode === 10185 || error?.errCode === 10025)) {
      this.#sourcing = false;
      this.#ask();
    } else this.#refused(error!);
  }

  #faultOf({ error, name, ackPolicy }: OriginConsumer): ApiError | undefined {
    if (error !== undefined) return error;
    if (name === "") return this.#setupFailed("invalid consumer create response");
    if (this.#end.source.consumer === undefined || ackPolicy === "flow_control") return undefined;
    return apiError(this.#end.kind === "mirror" ? 10214 : 10217);
  }

  #setupFailed(err: string): ApiError {
    return apiError(this.#end.kind === "mirror" ? 10029 : 10045, { err });
  }

  #refused(error: ApiError): void {
    const { account, title } = this.#end;
    if (this.#fails === 0) account.logger.warn(`${title}: ${error.message} (${error.errCode})`);
    this.#again(true);
    this.#error = error;
  }

  #connect(consumer: OriginConsumer): void {
    const { account, source } = this.#end;
    try {
      this.#end.connected(consumer.delivered);
    } catch (error) {
      account.logger.warn(`${this.#end.title}: ${error instanceof Error ? error.message : String(error)}`);
      this.#again(true);
      return;
    }
    this.#fails = 0;
    this.#lasting = consumer.ackPolicy === "flow_control";
    this.#heardAt = account.clock.monotonic();
    const run = new Run(this.#end, consumer, {
      heard: () => {
        this.#heardAt = account.clock.monotonic();
      },
      lag: (lag) => {
        this.#lag = lag;
      },
      underway: (change) => {
        this.#underway += change;
      },
      broken: () => {
        if (this.#run === run) this.#again(false);
      },
    });
    this.#run = run;
    run.open(source.consumer?.deliverSubject ?? consumer.deliverSubject);
    this.#watch();
  }

  /** Looks now and then whether the origin is still there. */
  #watch(): void {
    this.#after(HEARTBEAT_MS, () => {
      if ((this.silence ?? 0) > SILENCE_MS) {
        this.#again(false);
        return;
      }
      this.#end.tick();
      this.#watch();
    });
  }
}

/** What a {@link Run} tells its connection. */
interface RunEvents {
  heard(): void;
  lag(messages: number): void;
  /** So many messages more, or fewer, are on their way into the stream. */
  underway(change: number): void;
  /** Something is missing, or could not be stored. */
  broken(): void;
}

/** What comes from one consumer. */
class Run implements Stretch {
  readonly consumer: string;
  readonly #end: InflowEnd;
  readonly #events: RunEvents;
  #live = true;
  /** The last sequences that came, of the consumer and of its stream. */
  #consumerSeq = 0;
  #streamSeq: number;
  #underway = 0;
  /** The flow control that is to be answered. */
  #owed: { readonly reply: string; readonly consumerSeq: number; readonly streamSeq: number } | undefined;
  #answering = false;
  #unsubscribe: Ending = () => {};

  constructor(end: InflowEnd, { name, delivered }: OriginConsumer, events: RunEvents) {
    this.#end = end;
    this.#events = events;
    this.consumer = name;
    this.#streamSeq = Math.max(delivered, end.position());
  }

  open(subject: string): void {
    this.#unsubscribe = this.#end.account.client.subscribe(subject, (message) => {
      if (this.#live) this.#heard(message);
    });
  }

  close(): void {
    this.#live = false;
    this.#unsubscribe();
  }

  get live(): boolean {
    return this.#live;
  }

  #heard(message: Message): void {
    const headers = message.hasHeaders ? message.bytes.subarray(message.start, message.body) : undefined;
    const payload = payloadOf(message);
    const reply = message.hasReply ? message.reply : "";
    if (headers !== undefined && payload.length === 0 && hasText(headers, 0, "NATS/1.0 100 ")) {
      this.#events.heard();
      this.#controlled(headers, reply);
      return;
    }
    const delivery = parseAckSubject(reply);
    if (delivery === undefined || consumerOfReply(reply) !== this.consumer) return;
    this.#events.heard();
    const { deliveries, streamSeq, consumerSeq, time, pending } = delivery;
    if (deliveries > 1) return;
    if (streamSeq <= this.#streamSeq) {
      if (consumerSeq === this.#consumerSeq + 1) this.#consumerSeq += 1;
      return;
    }
    if (consumerSeq !== this.#consumerSeq + 1) {
      this.#break();
      return;
    }
    this.#consumerSeq = consumerSeq;
    this.#streamSeq = streamSeq;
    this.#underway += 1;
    this.#events.underway(1);
    this.#events.lag(Math.max(0, pending - 1));
    const { subject } = message;
    const inMs = Number(time / 1_000n) / 1_000;
    this.#end.take({ subject, headers, payload, seq: streamSeq, time: inMs }, this, pending);
  }

  done(): void {
    this.#underway -= 1;
    this.#events.underway(-1);
    if (this.#underway === 0 && this.#owed !== undefined) this.#answer();
  }

  failed(error: ApiError | StorageError): void {
    const { account, title } = this.#end;
    // A stream that is full is no news: it was told to refuse what is new.
    if (this.#live && !isFull(error)) account.logger.warn(`${title}: ${error.message}`);
    this.#break();
    this.done();
  }

  #break(): void {
    if (!this.#live) return;
    this.close();
    this.#end.account.tasks.soon(() => this.#events.broken());
  }

  #controlled(headers: Uint8Array, reply: string): void {
    if (reply !== "") {
      this.#owe(reply);
      return;
    }
    const last = Number(headerOf(headers, "Nats-Last-Consumer"));
    if (last > 0 && last !== this.#consumerSeq) {
      this.#break();
      return;
    }
    const stalled = headerOf(headers, "Nats-Consumer-Stalled");
    if (stalled !== "" && this.#owed === undefined) this.#owe(stalled);
  }

  /** The origin waits to hear how far the copy is: it is told once that is on disk. */
  #owe(reply: string): void {
    this.#owed = { reply, consumerSeq: this.#consumerSeq, streamSeq: this.#streamSeq };
    if (this.#underway === 0) this.#answer();
  }

  #answer(): void {
    if (this.#answering) return;
    this.#answering = true;
    const answer = (): void => {
      this.#answering = false;
      const owed = this.#owed;
      if (owed === undefined || !this.#live) return;
      this.#owed = undefined;
      this.#end.account.client.publish(owed.reply, progress(owed.consumerSeq, owed.streamSeq), EMPTY);
    };
    const settled = this.#end.settled();
    if (settled === undefined) this.#end.account.tasks.soon(answer);
    else
      settled.then(answer, () => {
        this.#answering = false;
        this.#break();
      });
  }
}

function isFull(error: ApiError | StorageError): boolean {
  return "errCode" in error && (error.errCode === 10077 || error.errCode === 10023);
}

function payloadOf({ text, bytes, body, end }: Message): Uint8Array {
  if (text !== undefined) return encodeText(text);
  return body === end ? EMPTY : bytes.subarray(body, end);
}
