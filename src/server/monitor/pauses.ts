import type { Tasks } from "../../seams/tasks.ts";

/** After so many streams and consumers the server does something else. */
const AT_ONCE = 32;

/** Lets the server do other things between the parts of a long answer. */
export class Pauses {
  readonly #tasks: Tasks;
  #parts = 0;

  constructor(tasks: Tasks) {
    this.#tasks = tasks;
  }

  /** Called before each part: what to wait for before it is made, now and then. */
  next(): Promise<void> | undefined {
    this.#parts += 1;
    if (this.#parts % AT_ONCE !== 0) return undefined;
    return new Promise((resolve) => this.#tasks.later(resolve));
  }
}
