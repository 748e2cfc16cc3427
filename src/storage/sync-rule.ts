import type { Clock, Timer } from "../seams/clock.ts";
import type { StoreOptions } from "./store.ts";

/** Which commits are synced: each one, or one after so many ms, and those for which somebody has asked. */
export class SyncRule {
  readonly #clock: Clock;
  readonly #due: () => void;
  #asked = false;
  #timer: Timer | undefined;

  /** @param due - hears that it is time for a commit that is synced. */
  constructor(clock: Clock, due: () => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** The next commit is to be synced. */
  ask(): void {
    this.#asked = true;
  }

  /** A commit begins. Returns whether it is synced. */
  decide(sync: StoreOptions["sync"]): boolean {
    if (sync === "always" || this.#asked) {
      this.#asked = false;
      this.stop();
      return true;
    }
    this.#timer ??= this.#clock.after(sync, () => {
      this.#timer = undefined;
      this.#asked = true;
      this.#due();
    });
    return false;
  }

  /** Nothing more becomes due. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
