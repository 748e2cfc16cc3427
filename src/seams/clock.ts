/** Time, as the outside gives it. Tests put a virtual one in its place. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** The same in whole microseconds, as far as the platform has them: what is stored gets its time from it. */
  precise(): number;
  /** Milliseconds, with a fraction, from some start: never goes back. */
  monotonic(): number;
  /** Calls `action` once, `delay` milliseconds from now (0 and more). */
  after(delay: number, action: () => void): Timer;
}

/** A call that is still to come. */
export interface Timer {
  /** The call will not come. Does nothing when it has come already. */
  cancel(): void;
}
