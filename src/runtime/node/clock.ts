import type { Clock, Timer } from "../../seams/clock.ts";

/** The time of this machine. */
export const nodeClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delay: number, action: () => void): Timer {
    const timer = setTimeout(action, delay);
    return { cancel: () => clearTimeout(timer) };
  },
};
