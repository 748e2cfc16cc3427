import type { Session } from "../broker/session.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Logger } from "../seams/logger.ts";
import type { Random } from "../seams/random.ts";

/** Connections are closed at least this often, in ms: spreading a few of them over minutes helps nobody. */
const PACE_MAX_MS = 1_000;

/** What a {@link LameDuck} is made with. */
export interface LameDuckContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The time for all of it, and how much of that passes before the first connection is closed, in ms. */
  readonly duration: number;
  readonly gracePeriod: number;
  /** The connections there are. */
  sessions(): Session[];
  /** Sends what closing a session has left to be sent. */
  flush(): void;
}

/**
 * Lame duck mode: no more connections are taken; those there are get told, and after a while are closed one after the other, so that
 * their clients do not all connect to other servers in the same moment (behaviour.md A.9, ADR-5; nats-server `lameDuckMode`).
 */
export class LameDuck {
  readonly #context: LameDuckContext;
  #timer: Timer | undefined;
  #end: (() => void) | undefined;

  constructor(context: LameDuckContext) {
    this.#context = context;
  }

  /** Closes what there is, at its pace; resolves when all is closed, or when it is stopped. */
  async run(): Promise<void> {
    const { duration, gracePeriod, logger } = this.#context;
    const sessions = this.#context.sessions();
    if (sessions.length === 0) return;
    const pace = Math.min(PACE_MAX_MS, Math.max(duration - gracePeriod, PACE_MAX_MS) / sessions.length);
    await new Promise<void>((resolve) => {
      this.#end = resolve;
      this.#after(gracePeriod, () => {
        logger.notice("Closing existing clients");
        this.#closeNext(sessions, 0, pace);
      });
    });
  }

  /** Closes nothing more. */
  stop(): void {
    this.#timer?.cancel();
    this.#end?.();
  }

  /** Closes one, or as many as there are for each millisecond. */
  #closeNext(sessions: readonly Session[], from: number, pace: number): void {
    const count = pace < 1 ? Math.ceil(1 / pace) : 1;
    const to = Math.min(sessions.length, from + count);
    for (let i = from; i < to; i++) sessions[i].close("Server Shutdown");
    this.#context.flush();
    if (to === sessions.length) {
      this.#end?.();
      return;
    }
    // A random time, but not less than half of it, so that servers that were told together do not beat together.
    const step = pace * count;
    const wait = Math.max(step / 2, this.#context.random.fraction() * step);
    this.#after(wait, () => this.#closeNext(sessions, to, pace));
  }

  #after(delay: number, action: () => void): void {
    this.#timer = this.#context.clock.after(delay, action);
  }
}
