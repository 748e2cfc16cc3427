import type { Clock } from "../seams/clock.ts";

/** How long work may go on before the rest of the program has a turn, in ms; there may be several such works at a time. */
const TURN_MS = 1;

/** Divides long work, so that sockets and timers have their turn in between. */
export class Pacer {
  readonly #clock: Clock;
  #began: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  /** Whether it is time to let others work. */
  get due(): boolean {
    return this.#clock.monotonic() - this.#began >= TURN_MS;
  }

  /** Others have worked, as something was awaited that takes a turn of the event loop. */
  rested(): void {
    this.#began = this.#clock.monotonic();
  }

  /** Lets others work. */
  async rest(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.after(0, resolve));
    this.rested();
  }
}
