import { VirtualClock } from "./simulated.ts";

/** A clock by which work takes time: each look at it so much. */
export class BusyClock extends VirtualClock {
  /** In ms. */
  cost: number;
  #spent = 0;

  constructor(cost = 0.1) {
    super();
    this.cost = cost;
  }

  override monotonic(): number {
    this.#spent += this.cost;
    return super.monotonic() + this.#spent;
  }
}

/** Counts how often somebody rests by it; each rest is over at once. */
export class RestingClock extends BusyClock {
  rests = 0;

  override after(_delay: number, action: () => void): { cancel(): void } {
    this.rests += 1;
    queueMicrotask(action);
    return { cancel() {} };
  }
}
