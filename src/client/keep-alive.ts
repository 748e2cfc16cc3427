import type { Clock, Timer } from "../seams/clock.ts";

/** Who hears of a {@link KeepAlive}. */
export interface KeepAliveListener {
  /** `PING` is to be said; that many, with this one, have not been answered. */
  pinging(unanswered: number): void;
  /** The server does not answer. */
  stale(): void;
}

/** Pings the server now and then, and tells when it does not answer any more. */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #max: number;
  readonly #listener: KeepAliveListener;
  #timer: Timer | undefined;
  #unanswered = 0;

  /**
   * @param interval - milliseconds between pings.
   * @param max - pings that may go unanswered.
   */
  constructor(clock: Clock, interval: number, max: number, listener: KeepAliveListener) {
    this.#clock = clock;
    this.#interval = interval;
    this.#max = max;
    this.#listener = listener;
    this.#arm();
  }

  /** Any `PONG` shows that the server is there. */
  answered(): void {
    this.#unanswered = 0;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer = this.#clock.after(this.#interval, () => {
      if (this.#unanswered >= this.#max) {
        this.#listener.stale();
        return;
      }
      this.#unanswered += 1;
      this.#arm();
      // After it: whoever hears of the ping may stop this.
      this.#listener.pinging(this.#unanswered);
    });
  }
}
