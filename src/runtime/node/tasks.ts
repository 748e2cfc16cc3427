import type { Tasks } from "../../seams/tasks.ts";

/** After this many calls in one turn of the event loop, the next one waits for the next turn. */
const CALLS_A_TURN = 128;

const SETTLED = Promise.resolve();

/**
 * Work goes on in a microtask, which costs least, but microtasks that start each other would keep the event loop from ever
 * turning: no socket would be read, no timer would fire. So every so often one is made to wait for a turn.
 */
export class NodeTasks implements Tasks {
  #calls = 0;
  #turnAwaited = false;

  soon(action: () => void): void {
    this.#calls += 1;
    if (this.#calls <= CALLS_A_TURN) {
      // Cheaper than `queueMicrotask`, which Node wraps for its async hooks.
      SETTLED.then(action);
      return;
    }
    setImmediate(action);
    if (this.#turnAwaited) return;
    this.#turnAwaited = true;
    setImmediate(() => {
      this.#turnAwaited = false;
      this.#calls = 0;
    });
  }

  later(action: () => void): void {
    setImmediate(action);
  }
}
