import type { Clock, Timer } from "../seams/clock.ts";
import type { Random } from "../seams/random.ts";

/** The first ping comes this soon (ms), to measure the way there and back (nats-server `firstClientPingInterval`). */
const FIRST_PING_MS = 2_000;
/** A round trip time older than this (ms) is measured anew although the connection is busy. */
const RTT_AGE_MAX_MS = 60 * 60 * 1_000;

/** What a {@link Heartbeat} is made with. */
export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds between two looks. */
  readonly interval: number;
  /** Pings that may go unanswered. */
  readonly max: number;
  readonly shortFirst: boolean;
  /** Says `PING` to the client. */
  ping(): void;
  /** The client does not answer. */
  stale(): void;
}

/** Pings a connection that has gone quiet, and tells when it does not answer (behaviour.md A.8). */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: Timer | undefined;
  #unanswered = 0;
  #lastInput: number;
  #pingedAt = 0;
  #rtt: number | undefined;
  /** What the time from the start to `CONNECT` says of the round trip, until it is measured. */
  #firstGuess = 0;
  readonly #startedAt: number;
  #stopped = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
    this.#lastInput = this.#startedAt;
    this.#arm(options.interval);
  }

  /** The last measured time to the client and back, in ms; until then a guess; 0 before `CONNECT`. */
  get rtt(): number {
    return this.#rtt ?? this.#firstGuess;
  }

  /** `CONNECT` has come: the short first ping is due, spread by a fifth so that many clients do not beat together. */
  connected(): void {
    const { interval, shortFirst, random, clock } = this.#options;
    if (this.#firstGuess === 0) this.#firstGuess = clock.monotonic() - this.#startedAt;
    const first = shortFirst ? Math.min(interval, FIRST_PING_MS) : interval;
    this.#arm(first + (random.fraction() * first) / 5);
  }

  /** The client has sent something. */
  input(): void {
    this.#lastInput = this.#options.clock.monotonic();
  }

  /** The client has answered. */
  pong(): void {
    this.#unanswered = 0;
    this.#rtt = this.#options.clock.monotonic() - this.#pingedAt;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #arm(delay: number): void {
    this.#timer?.cancel();
    if (!this.#stopped) this.#timer = this.#options.clock.after(delay, () => this.#look());
  }

  #look(): void {
    const { clock, interval, max } = this.#options;
    const now = clock.monotonic();
    const rttKnown = this.#rtt !== undefined && now - this.#pingedAt <= RTT_AGE_MAX_MS;
    if (now - this.#lastInput >= interval || !rttKnown) {
      if (this.#unanswered + 1 > max) {
        this.stop();
        this.#options.stale();
        return;
      }
      this.#unanswered += 1;
      this.#pingedAt = now;
      this.#options.ping();
    }
    this.#arm(interval);
  }
}
