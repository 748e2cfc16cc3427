import type { Clock, Timer } from "../../seams/clock.ts";
import { PreciseTime } from "./precise-time.ts";

/** The time of this machine. */
export class NodeClock implements Clock {
  /** Made when something is stored. */
  #precise: PreciseTime | undefined;

  now(): number {
    return Date.now();
  }

  precise(): number {
    this.#precise ??= new PreciseTime();
    return this.#precise.now();
  }

  monotonic(): number {
    return performance.now();
  }

  after(delay: number, action: () => void): Timer {
    if (delay <= 0) {
      // Node's timers wait for a millisecond at least.
      const turn = setImmediate(action);
      return { cancel: () => clearImmediate(turn) };
    }
    const timer = setTimeout(action, delay);
    return { cancel: () => clearTimeout(timer) };
  }
}
