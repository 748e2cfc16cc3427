import type { Clock, Timer } from "../seams/clock.ts";

/** What a {@link KeepAlive} is made with. */
export interface KeepAliveOptions {
  readonly clock: Clock;
  /** Milliseconds between pings. */
  readonly interval: number;
  /** Pings that may go unanswered. */
  readonly max: number;
  /** Says `PING`; the server's answer is told with {@link KeepAlive.answered}. */
  ping(unanswered: number): void;
  /** The server does not answer. */
  stale(): void;
}

/** Pings the server now and then, and tells when it does not answer any more. */
export class KeepAlive {
  readonly #options: KeepAliveOptions;
  #timer: Timer | undefined;
  #unanswered = 0;

  constructor(options: KeepAliveOptions) {
    this.#options = options;
    this.#arm();
  }

  /** Any `PONG` shows that the server is there. */
  answered(): void {
    this.#unanswered = 0;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#options.clock.after(this.#options.interval, () => {
      if (this.#unanswered >= this.#options.max) {
        this.#timer = undefined;
        this.#options.stale();
        return;
      }
      this.#unanswered += 1;
      this.#arm();
      // After it: whoever hears of the ping may stop this.
      this.#options.ping(this.#unanswered);
    });
  }
}
