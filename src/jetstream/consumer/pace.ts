import type { ConsumerOwner } from "./owner.ts";
import { RateLimit } from "./rate-limit.ts";

/** Who can be behind with taking messages. */
interface Taker {
  readonly behind: boolean;
}

/** How often it is looked whether a receiver has caught up, in ms. */
const BEHIND_MS = 2;

/** How fast messages go out: by the rate limit, as they came in, and no faster than they are taken. Times are in ms. */
export class Pace {
  readonly #owner: ConsumerOwner;
  #limit: RateLimit | undefined;
  #bitsPerSecond = 0;
  /** While old messages are delivered as they came in: up to this one they are old; 0 for none. */
  #replayTo: number;
  #lastTime = 0;
  /** The message that is held back, and until when nothing goes out. */
  #held = 0;
  #until = 0;
  #taker: Taker | undefined;

  constructor(owner: ConsumerOwner) {
    this.#owner = owner;
    this.#replayTo = owner.config.replayPolicy === "original" ? owner.host.store.state.lastSeq : 0;
  }

  /** How long nothing may go out; 0 when something may. */
  blocked(now: number): number {
    if (this.#taker !== undefined) {
      if (this.#taker.behind) return BEHIND_MS;
      this.#taker = undefined;
    }
    return Math.max(0, this.#until - now);
  }

  /** A receiver is behind: nothing goes out until it has caught up. */
  holdFor(taker: Taker): void {
    this.#taker = taker;
  }

  /** How long a message has to wait, 0 for not at all. @param time - when it was stored. */
  wait(seq: number, time: number, size: number, now: number): number {
    const apart = this.#replayTo > 0 && this.#lastTime > 0 && this.#held !== seq ? time - this.#lastTime : 0;
    const wait = apart > 1 ? apart : (this.#limitOf(now)?.wait(size, now) ?? 0);
    if (wait > 0) {
      this.#held = seq;
      this.#until = now + wait;
    }
    return wait;
  }

  /** A message has gone out. */
  sent(time: number, size: number): void {
    this.#lastTime = time;
    this.#held = 0;
    this.#limit?.take(size);
  }

  /** There is nothing to deliver: what is behind `position` is not old. */
  rested(position: number): void {
    if (position > this.#replayTo) this.#replayTo = 0;
  }

  #limitOf(now: number): RateLimit | undefined {
    const { config, host } = this.#owner;
    if (config.rateLimitBps !== this.#bitsPerSecond) {
      this.#bitsPerSecond = config.rateLimitBps;
      const { maxMsgSize } = host.config;
      const burst = maxMsgSize > 0 ? maxMsgSize : host.account.client.maxPayload;
      this.#limit = this.#bitsPerSecond === 0 ? undefined : new RateLimit(this.#bitsPerSecond, burst, now);
    }
    return this.#limit;
  }
}
