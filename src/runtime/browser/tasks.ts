import type { Port } from "../../seams/port.ts";
import type { Tasks } from "../../seams/tasks.ts";

/** After this many calls in one turn of the event loop, the next one waits for the next turn. */
const CALLS_A_TURN = 128;

const SETTLED = Promise.resolve();

/** As Node's: work goes on in a microtask, but every so often in a turn of its own, so that sockets, timers and the page have theirs. */
export class BrowserTasks implements Tasks {
  readonly #next: Port;
  readonly #waiting: (() => void)[] = [];
  #calls = 0;
  #turnAwaited = false;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    const turn = port1 as unknown as Port & { unref?(): void };
    this.#next = port2 as unknown as Port;
    // A message takes no longer than a turn; a timer takes 4 ms when timers start each other.
    turn.onmessage = () => {
      this.#turnAwaited = false;
      this.#calls = 0;
      for (const action of this.#waiting.splice(0)) SETTLED.then(action);
    };
    // Where this is not a browser after all, a port that waits must not keep the program from ending.
    turn.unref?.();
  }

  soon(action: () => void): void {
    this.#calls += 1;
    if (this.#calls <= CALLS_A_TURN) {
      SETTLED.then(action);
      return;
    }
    this.later(action);
  }

  later(action: () => void): void {
    this.#waiting.push(action);
    if (this.#turnAwaited) return;
    this.#turnAwaited = true;
    this.#next.postMessage(null);
  }
}
