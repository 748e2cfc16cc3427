import type { Clock, Timer } from "../seams/clock.ts";

/** Something that is to happen at its time, unless it is taken out before. */
export abstract class Deadline {
  /** For {@link Deadlines}: when, and the neighbours in the list. */
  dueAt = 0;
  previous: Deadline | undefined = undefined;
  next: Deadline | undefined = undefined;
  list: DeadlineList | undefined = undefined;
  /** Called when the time has come. */
  abstract expire(): void;
}

/** The deadlines with one duration: in the order they were set is in the order they are due. */
interface DeadlineList {
  first: Deadline | undefined;
  last: Deadline | undefined;
  timer: Timer | undefined;
  readonly duration: number;
}

/** The longest (ms) that a timer is set for: so long may one stay when the last deadline it was for has been taken out. */
const TIMER_MAX_MS = 250;
/** Above this many durations in use, the empty lists are thrown away. */
const LISTS_KEPT = 64;

/**
 * Many deadlines on few timers: setting a timer for every request costs more than the request. Those with one duration share
 * one timer, which is set for the first of them and stands while there is any.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #lists = new Map<number, DeadlineList>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has `deadline` expire in `duration` ms. */
  set(deadline: Deadline, duration: number): void {
    let list = this.#lists.get(duration);
    if (list === undefined) {
      if (this.#lists.size >= LISTS_KEPT) this.#drop((each) => each.first === undefined);
      list = { first: undefined, last: undefined, timer: undefined, duration };
      this.#lists.set(duration, list);
    }
    const { last } = list;
    deadline.list = list;
    deadline.dueAt = this.#clock.monotonic() + duration;
    deadline.previous = last;
    deadline.next = undefined;
    if (last === undefined) list.first = deadline;
    else last.next = deadline;
    list.last = deadline;
    if (list.timer === undefined) this.#arm(list, duration);
  }

  /** Takes `deadline` out. The timer stays for now: another deadline will probably want it soon. */
  clear(deadline: Deadline): void {
    const { list, previous, next } = deadline;
    if (list === undefined) return;
    if (previous === undefined) list.first = next;
    else previous.next = next;
    if (next === undefined) list.last = previous;
    else next.previous = previous;
    deadline.list = deadline.previous = deadline.next = undefined;
  }

  /** Forgets all deadlines and stops all timers. */
  close(): void {
    this.#drop(() => true);
  }

  #drop(which: (list: DeadlineList) => boolean): void {
    for (const list of this.#lists.values()) {
      if (!which(list)) continue;
      list.timer?.cancel();
      list.first = list.last = undefined;
      this.#lists.delete(list.duration);
    }
  }

  #arm(list: DeadlineList, delay: number): void {
    list.timer = this.#clock.after(Math.min(delay, TIMER_MAX_MS), () => {
      list.timer = undefined;
      const now = this.#clock.monotonic();
      let { first } = list;
      // Timers may fire a little early.
      for (; first !== undefined && first.dueAt <= now + 1; first = list.first) {
        this.clear(first);
        first.expire();
      }
      if (first !== undefined && list.timer === undefined) this.#arm(list, Math.max(1, first.dueAt - now));
    });
  }
}
