import { Turn } from "../broker/turn.ts";
import type { ReadingTurn } from "../protocol/client-reader.ts";
import type { Clock } from "../seams/clock.ts";
import type { Tasks } from "../seams/tasks.ts";

/** How long (ms) one piece is read: mostly to its end, as what is left has to be copied. */
const PIECE_MS = 2;
/** A look at the clock every so many ms is enough, and costs little. */
const LOOK_MS = 0.1;
/** How many elements are read at most between two looks. */
const MOST_ELEMENTS = 512;

/** Somebody who has more to read than there was time for. */
export interface TurnTaker {
  /** Reads on, until the turn is over. */
  goOn(): void;
}

/**
 * Divides the time of a server among clients that send much: a system hands over megabytes of one socket at once, and reading them would keep all others
 * waiting for a fifth of a second. So after a while the client's link is held, and it reads on in another turn of the event loop, one after the other
 * who has more to read. What comes in small pieces never waits.
 */
export class InputTurns implements ReadingTurn {
  readonly #clock: Clock;
  readonly #turn: Turn;
  /** When the piece at hand was begun, and when the clock was looked at last. */
  #began = 0;
  #looked = 0;
  /** Those whose turn comes next, and those who have just begun to wait: what others have sent meanwhile is looked at before it is theirs. */
  #waiting: TurnTaker[] = [];
  #arrived: TurnTaker[] = [];

  constructor(clock: Clock, tasks: Tasks) {
    this.#clock = clock;
    this.#turn = new Turn(clock, tasks, () => this.#over());
  }

  /** Somebody begins to read a piece. */
  begin(): void {
    this.#turn.begin();
    this.#began = this.#looked = this.#clock.monotonic();
  }

  /** Whether no other piece is to be begun in this turn. */
  get spent(): boolean {
    return this.#turn.spent;
  }

  look(done: number): number {
    const now = this.#clock.monotonic();
    const took = now - this.#looked;
    this.#looked = now;
    if (now - this.#began >= PIECE_MS) return 0;
    if (took > 2 * LOOK_MS) return Math.max(1, done >> 2);
    return took < LOOK_MS / 2 ? Math.min(MOST_ELEMENTS, 2 * done) : done;
  }

  /** Somebody who has read what has come wants to go on in another turn. */
  wait(taker: TurnTaker): void {
    this.#arrived.push(taker);
  }

  /** Somebody who has had a turn wants another one. */
  waitOn(taker: TurnTaker): void {
    this.#waiting.push(taker);
  }

  #over(): void {
    const ready = this.#waiting;
    this.#waiting = this.#arrived;
    this.#arrived = [];
    if (ready.length + this.#waiting.length > 0) this.#turn.begin();
    let gone = 0;
    while (gone < ready.length && (gone === 0 || !this.spent)) {
      this.begin();
      ready[gone++].goOn();
    }
    // Those who had no time are the first of the next turn.
    if (gone < ready.length) this.#waiting = [...ready.slice(gone), ...this.#waiting];
  }
}
