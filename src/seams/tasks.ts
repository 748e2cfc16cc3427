/** When the work goes on that a call started: never inside that call, always soon after it. */
export interface Tasks {
  /**
   * Calls `action` once the code that runs now has finished. Calls are made in order. A chain of such calls must let the
   * rest of the program (its sockets, its timers) have a turn now and then.
   */
  soon(action: () => void): void;
  /** Calls `action` in another turn of the event loop, so that sockets and timers have theirs before. */
  later(action: () => void): void;
}
