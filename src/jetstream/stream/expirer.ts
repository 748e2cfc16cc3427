import { showDuration } from "../../protocol/durations.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import { StorageError } from "../../storage/errors.ts";
import type { StreamStore } from "../../storage/store.ts";
import type { ApiError } from "../errors.ts";
import { HEADERS, headerValue, withHeader } from "../publish/headers.ts";
import type { StreamConfig } from "./config.ts";
import type { FromOrigin } from "./from-origin.ts";

/** How many messages expire in one go, so that it does not take long. */
const AT_ONCE = 512;
/** Timers are set no further ahead than this, in ms. */
const LONGEST_MS = 3_600_000;
/** What has expired and cannot be removed is tried again after so long, in ms. */
const RETRY_MS = 1_000;

/** What an {@link Expirer} does to its stream. */
export interface ExpiringStream {
  readonly config: StreamConfig;
  readonly store: StreamStore;
  readonly closed: boolean;
  /** Removes a message whose time has come. */
  expire(seq: number): void;
  /** Something went wrong. @param what - was being done. */
  failed(what: string, error: unknown): void;
  /** Puts a marker in place of the last message on a subject. @param fate - hears what becomes of it. */
  mark(subject: string, headers: Uint8Array, fate: FromOrigin): void;
  /** Forgets ids that are old. Returns when the next one is, in ms since the epoch. */
  forgetIds(now: number): number | undefined;
}

/** Removes the messages of a stream whose time has come, and ids of the de-duplication window. */
export class Expirer {
  readonly #stream: ExpiringStream;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #running = false;
  /** After something went wrong nothing is done before. */
  #notBefore = 0;

  constructor(stream: ExpiringStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  /** Something may be due at a time (ms since the epoch) before all others. */
  due(at: number): void {
    if (at < this.#notBefore) at = this.#notBefore;
    if (at >= this.#timerAt || this.#stream.closed) return;
    this.#timer?.cancel();
    const now = this.#clock.now();
    this.#timerAt = Math.min(at, now + LONGEST_MS);
    this.#timer = this.#clock.after(Math.max(0, Math.ceil(this.#timerAt - now)), () => {
      this.#timer = undefined;
      this.#timerAt = Infinity;
      this.#run().catch((error) => {
        this.#stream.failed("expiry", error);
        this.due(this.#clock.now() + RETRY_MS);
      });
    });
  }

  /** Looks when the next message is due. */
  look(): void {
    const { config, store, closed } = this.#stream;
    if (closed) return;
    // What comes from another stream may have a TTL here, too, where none counts.
    const next = store.nextExpiry(config.maxAge, config.allowMsgTtl);
    if (next !== undefined) this.due(next);
  }

  /** Ends it. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #run(): Promise<void> {
    if (this.#running || this.#stream.closed) return;
    this.#running = true;
    try {
      const now = this.#clock.now();
      const ids = this.#stream.forgetIds(now);
      if (ids !== undefined) this.due(ids);
      const { config, store } = this.#stream;
      const due = store.expired(now, config.maxAge, AT_ONCE, config.allowMsgTtl);
      if (config.subjectDeleteMarkerTtl > 0) await this.#expireMarking(due);
      else for (const seq of due) this.#stream.expire(seq);
      // What would be tried again and again.
      if (due.some((seq) => store.has(seq))) this.#pause();
    } finally {
      this.#running = false;
    }
    this.look();
  }

  #pause(): void {
    this.#notBefore = this.#clock.now() + RETRY_MS;
  }

  async #expireMarking(due: readonly number[]): Promise<void> {
    let failure: unknown;
    for (const seq of due) {
      try {
        await this.#expireOrMark(seq);
      } catch (error) {
        failure ??= error;
      }
      if (this.#stream.closed) return;
    }
    // The disk is the same for all.
    if (failure !== undefined) this.#stream.failed("expiry", failure);
  }

  async #expireOrMark(seq: number): Promise<void> {
    const { config, store } = this.#stream;
    const subject = store.subjectOf(seq);
    if (subject === undefined) return;
    const isLast = store.subject(subject)?.messages === 1;
    const message = isLast ? await store.get(seq) : undefined;
    if (this.#stream.closed) return;
    if (store.subject(subject)?.messages === 1 && message !== undefined && !isMarker(message.headers)) {
      this.#stream.mark(subject, markerHeaders(config.subjectDeleteMarkerTtl), this.#fateOf(seq, subject));
    } else this.#stream.expire(seq);
  }

  #fateOf(seq: number, subject: string): FromOrigin {
    return {
      time: undefined,
      // It may have waited behind others: what has come since on the subject stays.
      ready: () => {
        const there = this.#stream.store.subject(subject);
        return there?.messages === 1 && there.firstSeq === seq;
      },
      stored: () => {},
      refused: (error) => {
        // When there is no space it waits for that; where the stream takes no marker at all the message goes all the same.
        if (!this.#stream.closed && !isForSpace(error)) this.#stream.expire(seq);
      },
    };
  }

  /** What was removed last may be back, as the disk is full. */
  refused(): void {
    this.#pause();
    this.look();
  }
}

function isForSpace(error: ApiError | StorageError): boolean {
  return error instanceof StorageError || error.errCode === 10023 || error.errCode === 10002;
}

/** Whether a message says that its subject is empty: a marker, or one that a key-value client purges with. */
function isMarker(headers: Uint8Array | undefined): boolean {
  const reason = headerValue(headers, HEADERS.markerReason) ?? "";
  return reason !== "" || headerValue(headers, "KV-Operation") === "PURGE";
}

function markerHeaders(ttl: number): Uint8Array {
  const seconds = Math.trunc(ttl / 1_000);
  let block = withHeader(undefined, HEADERS.markerReason, "MaxAge");
  block = withHeader(block, HEADERS.ttl, showDuration(seconds * 1_000));
  return withHeader(block, HEADERS.rollup, "sub");
}
