import type { Clock } from "../seams/clock.ts";
import type { Tasks } from "../seams/tasks.ts";

/** How long (ms) work that can wait goes on before the rest of the program has its turn. Several such works may be under way. */
const TURN_MS = 2;

/** A turn of the event loop, for work that many ask for at once and that can be divided: how long it has gone on. */
export class Turn {
  readonly #clock: Clock;
  readonly #tasks: Tasks;
  readonly #over: () => void;
  #open = false;
  #began = 0;

  /** @param over - called when a turn that was begun has ended; may begin another. */
  constructor(clock: Clock, tasks: Tasks, over: () => void = () => {}) {
    this.#clock = clock;
    this.#tasks = tasks;
    this.#over = over;
  }

  /** Work begins: in the turn that there is, or else in a new one. */
  begin(): void {
    if (this.#open) return;
    this.#open = true;
    this.#began = this.#clock.monotonic();
    this.#tasks.later(this.#end);
  }

  /** Whether the work has to go on in another turn. */
  get spent(): boolean {
    return this.#open && this.#clock.monotonic() - this.#began >= TURN_MS;
  }

  /** Resolves in another turn. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => this.#tasks.later(resolve));
  }

  readonly #end = (): void => {
    this.#open = false;
    this.#over();
  };
}
