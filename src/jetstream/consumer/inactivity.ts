import { ALARMS } from "./alarm.ts";
import { isPush } from "./config.ts";
import type { ConsumerOwner } from "./owner.ts";
import { lastWait } from "./timeouts.ts";

/** Added to the time after which a consumer that nobody uses goes: a client that is late by a little finds it. In ms. */
const GRACE_MS = 100;
const GRACE_CHANCE_MS = 900;

/** Watches whether a consumer is used, and has it deleted when it was not for long enough. */
export class Inactivity {
  readonly #owner: ConsumerOwner;
  readonly #stillUsed: () => boolean;
  readonly #expired: () => void;
  /** 0 for never. In ms. */
  #threshold = 0;
  #last = 0;

  /**
   * @param stillUsed - whether somebody listens, or waits for messages.
   * @param expired - called when the consumer is to go.
   */
  constructor(owner: ConsumerOwner, stillUsed: () => boolean, expired: () => void) {
    this.#owner = owner;
    this.#stillUsed = stillUsed;
    this.#expired = expired;
    this.configured();
  }

  /** The threshold may have changed: it is waited anew. */
  configured(): void {
    const { config, host, alarm } = this.#owner;
    const { inactiveThreshold } = config;
    if (inactiveThreshold <= 0) {
      this.#threshold = 0;
      alarm.clear(ALARMS.inactive);
      return;
    }
    const grace = GRACE_MS + host.account.random.fraction() * GRACE_CHANCE_MS;
    this.#threshold = inactiveThreshold + (isPush(config) ? 0 : grace);
    this.used();
    alarm.set(ALARMS.inactive, this.#last + this.#threshold);
  }

  /** A client has shown that it uses the consumer. */
  used(): void {
    if (this.#threshold > 0) this.#last = this.#owner.host.account.clock.monotonic();
  }

  /** A client has acknowledged something: that it may still work on messages is no reason to wait any longer. */
  acknowledged(): void {
    if (this.#threshold === 0) return;
    this.used();
    this.#owner.alarm.setEarliest(ALARMS.inactive, this.#last + this.#threshold);
  }

  /** Somebody has begun or ceased to listen to a push consumer. */
  bound(bound: boolean): void {
    if (this.#threshold === 0) return;
    this.used();
    if (!bound) this.#owner.alarm.set(ALARMS.inactive, this.#last + this.#threshold);
  }

  /** The alarm has come. */
  check(): void {
    if (this.#threshold === 0) return;
    const { alarm, config, host } = this.#owner;
    const now = host.account.clock.monotonic();
    const last = isPush(config) ? this.#last : Math.max(this.#last, lastWait(this.#owner));
    if (this.#stillUsed()) {
      if (!isPush(config)) alarm.set(ALARMS.inactive, now + this.#threshold);
      return;
    }
    if (last + this.#threshold > now) alarm.set(ALARMS.inactive, last + this.#threshold);
    else this.#expired();
  }
}
