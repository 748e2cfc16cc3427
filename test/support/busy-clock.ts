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
