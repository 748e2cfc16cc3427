import type { Clock, Timer } from "../../seams/clock.ts";

/** Calls an action once nothing has happened for so long. It is cheap to say that something has. */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #span: number;
  readonly #action: () => void;
  #timer: Timer | undefined;
  #due = 0;

  /** @param span - in ms. It begins now. */
  constructor(clock: Clock, span: number, action: () => void) {
    this.#clock = clock;
    this.#span = span;
    this.#action = action;
    this.touch();
    this.#wait();
  }

  /** Something has happened. */
  touch(): void {
    this.#due = this.#clock.monotonic() + this.#span;
  }

  /** Ends it. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    const left = Math.ceil(this.#due - this.#clock.monotonic());
    this.#timer = this.#clock.after(Math.max(0, left), () => {
      this.#timer = undefined;
      if (this.#clock.monotonic() < this.#due) this.#wait();
      else this.#action();
    });
  }
}
