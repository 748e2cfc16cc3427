import type { Clock, Timer } from "../../seams/clock.ts";
import { PreciseTime } from "./precise-time.ts";

const time = new PreciseTime();

/** The time of this machine. */
export const nodeClock: Clock = {
  now: () => Date.now(),
  precise: () => time.now(),
  monotonic: () => performance.now(),
  after(delay: number, action: () => void): Timer {
    if (delay <= 0) {
      // Node's timers wait for a millisecond at least.
      const turn = setImmediate(action);
      return { cancel: () => clearImmediate(turn) };
    }
    const timer = setTimeout(action, delay);
    return { cancel: () => clearTimeout(timer) };
  },
};
