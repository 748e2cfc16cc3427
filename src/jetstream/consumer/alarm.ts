import type { Clock, Timer } from "../../seams/clock.ts";

/** What a consumer waits for. */
export const ALARMS = {
  /** A pending message may have to be delivered again. */
  acks: 0,
  /** A pull request expires, or wants a heartbeat. */
  requests: 1,
  /** An idle heartbeat of a push consumer. */
  heartbeat: 2,
  /** Nobody has used the consumer for long. */
  inactive: 3,
  /** A pause ends. */
  pause: 4,
  /** Nothing was heard of the pinned client. */
  pin: 5,
  /** Delivery may go on: after a receiver was behind, by the rate limit, or as the messages came in. */
  pace: 6,
  /** What has changed is to be written down. */
  flush: 7,
} as const;

/** One of {@link ALARMS}. */
export type AlarmName = (typeof ALARMS)[keyof typeof ALARMS];

const COUNT = 8;

/** The moments that a consumer waits for, with one timer for all. Times are those of `Clock.monotonic`, in ms. */
export class Alarm {
  readonly #clock: Clock;
  readonly #due: (name: AlarmName) => void;
  readonly #times = new Float64Array(COUNT).fill(Infinity);
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #closed = false;

  /** @param due - called when a moment has come; it has to be set again if it is to come again. */
  constructor(clock: Clock, due: (name: AlarmName) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** When it is due; Infinity when it is not set. */
  at(name: AlarmName): number {
    return this.#times[name];
  }

  /** Sets a moment, in place of the one before. Infinity is never. */
  set(name: AlarmName, at: number): void {
    this.#times[name] = at;
    if (at < this.#timerAt) this.#arm(at);
  }

  /** Sets a moment, unless there is an earlier one. */
  setEarliest(name: AlarmName, at: number): void {
    if (at < this.#times[name]) this.set(name, at);
  }

  /** It is not waited for any more. The timer may still come, and finds nothing. */
  clear(name: AlarmName): void {
    this.#times[name] = Infinity;
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    this.#timerAt = at;
    this.#timer = this.#clock.after(delayUntil(at - this.#clock.monotonic()), () => this.#ring());
  }

  #ring(): void {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    const now = this.#clock.monotonic();
    for (let name = 0; name < COUNT; name++) {
      if (this.#times[name] > now || this.#closed) continue;
      this.#times[name] = Infinity;
      this.#due(name as AlarmName);
    }
    let next = Infinity;
    for (const time of this.#times) if (time < next) next = time;
    if (next < this.#timerAt) this.#arm(next);
  }
}

/** The longest that timers of all platforms can wait, in ms. A moment that is further off is looked at again then. */
const LONGEST_WAIT = 2 ** 31 - 1;

/**
 * Whole ms, so that the moment has come when the timer does; one at least, so that what is due again at once (a client may ask for a heartbeat each
 * nanosecond) leaves time to others.
 */
function delayUntil(wait: number): number {
  return Math.min(LONGEST_WAIT, Math.max(1, Math.ceil(wait)));
}
