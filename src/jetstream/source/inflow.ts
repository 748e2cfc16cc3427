import type { Ending } from "../../broker/internal-client.ts";
import { messageOf } from "../../protocol/message-of.ts";
import type { Timer } from "../../seams/clock.ts";
import { randomName } from "../consumer/names.ts";
import { type ApiError, apiError } from "../errors.ts";
import type { InflowEnd } from "./inflow-end.ts";
import {
  consumerRequest,
  deleteRequest,
  deliverSubject,
  HEARTBEAT_MS,
  type OriginConsumer,
  type OriginRequest,
  readConsumerResponse,
  resetRequest,
  SILENCE_MS,
} from "./request.ts";
import { payloadOf, Run } from "./run.ts";

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
      account.logger.warn(`${this.#end.title}: ${messageOf(error)}`);
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
