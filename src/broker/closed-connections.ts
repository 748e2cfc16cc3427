import type { ClosedConnection } from "./connection-record.ts";

/** The connections that have ended last, up to a number of them (nats-server `max_closed_clients`). */
export class ClosedConnections {
  readonly #kept: ClosedConnection[] = [];
  #max: number;
  /** Where the oldest is, once as many are kept as may be. */
  #oldest = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Remembers one, in place of the oldest when there are as many as may be. */
  add(connection: ClosedConnection): void {
    if (this.#kept.length < this.#max) {
      this.#kept.push(connection);
    } else if (this.#max > 0) {
      this.#kept[this.#oldest] = connection;
      this.#oldest = (this.#oldest + 1) % this.#max;
    }
  }

  /** All that are kept, the oldest first. */
  list(): ClosedConnection[] {
    return [...this.#kept.slice(this.#oldest), ...this.#kept.slice(0, this.#oldest)];
  }
}
