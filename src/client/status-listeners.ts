import type { Status } from "@nats-io/nats-core";
import { ItemIterator } from "./item-iterator.ts";

/** Events that wait for a listener that does not take them; beyond, the newest are dropped. */
const EVENTS_WAITING_MAX = 1_024;

/** Who listens to a connection's status. */
export class StatusListeners {
  readonly #listeners = new Set<ItemIterator<Status>>();
  readonly #callback: ((status: Status) => void) | undefined;

  /** @param callback - is told everything, too. What it throws goes nowhere. */
  constructor(callback?: (status: Status) => void) {
    this.#callback = callback;
  }

  /** A new listener: gets what happens from now on. */
  listen(): AsyncIterable<Status> {
    const listener: ItemIterator<Status> = new ItemIterator<Status>(() => this.#listeners.delete(listener));
    this.#listeners.add(listener);
    return listener;
  }

  /** Tells every listener. */
  tell(status: Status): void {
    for (const listener of this.#listeners) if (listener.pending < EVENTS_WAITING_MAX) listener.push(status);
    try {
      this.#callback?.(status);
    } catch {
      // The connection goes on: there is nobody left to tell.
    }
  }

  /** Tells every listener that the connection is closed, and ends. */
  close(): void {
    for (const listener of [...this.#listeners]) {
      listener.push({ type: "close" });
      listener.end();
    }
    this.#listeners.clear();
    this.tell({ type: "close" });
  }
}
