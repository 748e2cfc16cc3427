import { hasText } from "../../protocol/bytes.ts";
import { showDuration } from "../../protocol/durations.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { StreamStore } from "../../storage/store.ts";
import { HEADERS, readHeaders, withHeader } from "../publish/headers.ts";
import type { StreamConfig } from "./config.ts";

/** How many messages expire in one go, so that it does not take long. */
const AT_ONCE = 512;
/** Timers are set no further ahead than this, in ms. */
const LONGEST_MS = 3_600_000;

/** What an {@link Expirer} does to its stream. */
export interface ExpiringStream {
  readonly config: StreamConfig;
  readonly store: StreamStore;
  readonly closed: boolean;
  /** Removes a message whose time has come. */
  expire(seq: number): void;
  /** Puts a marker in place of the last message on a subject. */
  mark(subject: string, headers: Uint8Array): void;
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

  constructor(stream: ExpiringStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  /** Something may be due at a time (ms since the epoch) before all others. */
  due(at: number): void {
    if (at >= this.#timerAt || this.#stream.closed) return;
    this.#timer?.cancel();
    const now = this.#clock.now();
    this.#timerAt = Math.min(at, now + LONGEST_MS);
    this.#timer = this.#clock.after(Math.max(0, this.#timerAt - now), () => {
      this.#timer = undefined;
      this.#timerAt = Infinity;
      void this.#run();
    });
  }

  /** Looks when the next message is due. */
  look(): void {
    const { config, store, closed } = this.#stream;
    if (closed) return;
    const next = store.nextExpiry(config.maxAge);
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
      const due = store.expired(now, config.maxAge, AT_ONCE);
      if (config.subjectDeleteMarkerTtl > 0) await this.#expireMarking(due);
      else for (const seq of due) this.#stream.expire(seq);
    } finally {
      this.#running = false;
    }
    // A store that refuses would be asked again and again.
    if (this.#stream.store.refusing === undefined) this.look();
    else this.due(this.#clock.now() + 1_000);
  }

  async #expireMarking(due: readonly number[]): Promise<void> {
    for (const seq of due) {
      const { config, store, closed } = this.#stream;
      if (closed) return;
      const subject = store.subjectOf(seq);
      if (subject === undefined) continue;
      const isLast = store.subject(subject)?.messages === 1;
      const message = isLast ? await store.get(seq) : undefined;
      if (this.#stream.closed) return;
      if (store.subject(subject)?.messages === 1 && message !== undefined && !isMarker(message.headers)) {
        this.#stream.mark(subject, markerHeaders(config.subjectDeleteMarkerTtl));
      } else this.#stream.expire(seq);
    }
  }
}

/** Whether a message says that its subject is empty. */
function isMarker(headers: Uint8Array | undefined): boolean {
  if (headers === undefined) return false;
  if (readHeaders(headers).has(HEADERS.markerReason)) return true;
  const wanted = "KV-Operation: PURGE\r\n";
  for (let i = 0; i + wanted.length <= headers.length; i++) if (hasText(headers, i, wanted)) return true;
  return false;
}

function markerHeaders(ttl: number): Uint8Array {
  const seconds = Math.trunc(ttl / 1_000);
  let block = withHeader(undefined, HEADERS.markerReason, "MaxAge");
  block = withHeader(block, HEADERS.ttl, showDuration(seconds * 1_000));
  return withHeader(block, HEADERS.rollup, "sub");
}
