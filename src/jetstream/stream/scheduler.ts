import type { Clock, Timer } from "../../seams/clock.ts";
import type { Tasks } from "../../seams/tasks.ts";
import type { Maybe, StoredMessage, StreamStore } from "../../storage/store.ts";
import { parseTimestamp, TimestampError, timestampMs } from "../json/timestamps.ts";
import { HEADERS, type HeaderValues, readHeaders } from "../publish/headers.ts";
import {
  dueOf,
  resumedDueOf,
  type ScheduledMessage,
  scheduledMessage,
  scheduleSource,
} from "../publish/scheduled.ts";
import type { TimeZones } from "../publish/time-zone.ts";
import { DueHeap } from "./due-heap.ts";
import { lastMessage } from "./reads.ts";
import type { ScheduleListener } from "./writer.ts";

/** Timers are set no further ahead than this, in ms. */
const LONGEST_MS = 3_600_000;
/** A message that is made only once and was refused is made again so much later, in ms. */
const RETRY_MS = 60_000;
/** When stored messages cannot be read, it is looked for schedules again so much later, in ms. */
const FIND_AGAIN_MS = 1_000;
/** How many messages are made or looked at in one go. */
const AT_ONCE = 512;

/** What a {@link Scheduler} works with. */
export interface SchedulingStream {
  readonly store: StreamStore;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly zones: TimeZones;
  /** Stores a message that a schedule has made. */
  make(message: ScheduledMessage): void;
  /** What must be read cannot be. */
  failed(error: unknown): void;
}

/** A message that schedules others. */
interface Schedule {
  readonly seq: number;
  readonly subject: string;
  /** When it is due, in ms since the epoch. */
  at: number;
}

/**
 * Makes messages when they are due (behaviour.md D.7, ADR-51). Which schedules there are is known from the messages that are stored: a schedule
 * takes the place of all on its subject, so it is the first there, and ends when another message comes.
 */
export class Scheduler implements ScheduleListener {
  readonly #stream: SchedulingStream;
  readonly #bySubject = new Map<string, Schedule>();
  readonly #bySeq = new Map<number, Schedule>();
  /** Sequences by when they are due; those of schedules that have gone, or are due later, stay until they come to the top. */
  #heap = new DueHeap();
  readonly #unwatch: () => void;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #running = false;
  #finding = false;
  #findAgain = false;
  #finder: Timer | undefined;
  #stopped = false;

  constructor(stream: SchedulingStream) {
    this.#stream = stream;
    this.#unwatch = stream.store.watch({
      removed: (seq) => this.#remove(this.#bySeq.get(seq)),
      cleared: () => {
        this.#bySubject.clear();
        this.#bySeq.clear();
      },
    });
  }

  /** How many schedules there are. */
  get size(): number {
    return this.#bySubject.size;
  }

  /** Ends it. */
  stop(): void {
    this.#stopped = true;
    this.#unwatch();
    this.#timer?.cancel();
    this.#finder?.cancel();
  }

  stored(seq: number, subject: string, values: HeaderValues, time: number): void {
    const due = dueOf(values, time, time, this.#stream.zones);
    const scheduler = values.get(HEADERS.scheduler) ?? "";
    if (due !== undefined) this.#add(seq, subject, due.time);
    else if (scheduler === "") this.#remove(this.#bySubject.get(subject));
    if (scheduler !== "") this.#made(scheduler, values.get(HEADERS.scheduleNext) ?? "");
  }

  /** A message of a schedule was stored. @param next - when the next one is due. */
  #made(scheduler: string, next: string): void {
    const schedule = this.#bySubject.get(scheduler);
    if (schedule === undefined) return;
    if (next === "purge") {
      this.#remove(schedule);
      return;
    }
    try {
      this.#put(schedule, timestampMs(parseTimestamp(next)));
    } catch (error) {
      if (!(error instanceof TimestampError)) throw error;
    }
  }

  #add(seq: number, subject: string, at: number): void {
    this.#remove(this.#bySubject.get(subject));
    const schedule = { seq, subject, at };
    this.#bySubject.set(subject, schedule);
    this.#bySeq.set(seq, schedule);
    this.#heap.push(at, seq);
    this.#wait();
  }

  #remove(schedule: Schedule | undefined): void {
    if (schedule === undefined) return;
    this.#bySubject.delete(schedule.subject);
    this.#bySeq.delete(schedule.seq);
    if (this.#heap.size > 64 && this.#heap.size > this.#bySeq.size * 4) this.#sweep();
  }

  #sweep(): void {
    this.#heap = new DueHeap();
    for (const { seq, at } of this.#bySeq.values()) this.#heap.push(at, seq);
  }

  #put(schedule: Schedule, at: number): void {
    if (schedule.at === at) return;
    schedule.at = at;
    this.#heap.push(at, schedule.seq);
    this.#wait();
  }

  /** The schedule that is due first. */
  #first(): Schedule | undefined {
    for (;;) {
      const { first, when } = this.#heap;
      if (first === undefined) return undefined;
      const schedule = this.#bySeq.get(first);
      if (schedule !== undefined && schedule.at === when) return schedule;
      this.#heap.pop();
    }
  }

  #wait(): void {
    const at = this.#first()?.at;
    if (at === undefined || at >= this.#timerAt || this.#running || this.#stopped) return;
    this.#timer?.cancel();
    const { clock } = this.#stream;
    const now = clock.precise();
    this.#timerAt = Math.min(at, now + LONGEST_MS);
    this.#timer = clock.after(Math.max(0, Math.ceil(this.#timerAt - now)), () => {
      this.#timerAt = Infinity;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      for (const { schedule, at } of this.#due()) {
        const reading = this.#stream.store.get(schedule.seq);
        const message = reading instanceof Promise ? await reading : reading;
        const found = this.#sourceOf(message);
        const source = found instanceof Promise ? await found : found;
        if (this.#stopped) return;
        this.#make(schedule, at, message, source);
      }
    } catch (error) {
      this.#stream.failed(error);
    } finally {
      this.#running = false;
    }
    this.#wait();
  }

  /** Those that are due, and since when, in order of their sequences. Until they have come to something they are due again later. */
  #due(): { schedule: Schedule; at: number }[] {
    const now = this.#stream.clock.precise();
    const due: { schedule: Schedule; at: number }[] = [];
    for (let next = this.#first(); next !== undefined && next.at <= now; next = this.#first()) {
      due.push({ schedule: next, at: next.at });
      this.#heap.pop();
      this.#put(next, now + RETRY_MS);
      if (due.length === AT_ONCE) break;
    }
    return due.sort((a, b) => a.schedule.seq - b.schedule.seq);
  }

  #sourceOf(
    message: StoredMessage | undefined,
  ): Maybe<Pick<StoredMessage, "headers" | "payload"> | undefined> {
    const source = message === undefined ? "" : scheduleSource(message.headers);
    return source === "" ? undefined : lastMessage(this.#stream.store, source);
  }

  #make(
    schedule: Schedule,
    at: number,
    message: StoredMessage | undefined,
    source: Pick<StoredMessage, "headers" | "payload"> | undefined,
  ): void {
    // It may have gone meanwhile.
    if (this.#bySeq.get(schedule.seq) !== schedule) return;
    const { clock, zones } = this.#stream;
    const made = message && scheduledMessage(message, source, at, clock.precise(), zones);
    if (made === undefined) {
      this.#remove(schedule);
      return;
    }
    if (made.next !== undefined) this.#put(schedule, made.next);
    this.#stream.make(made);
  }

  /** Finds the schedules that are stored. @param done - see `resumedDue`. */
  async find(done: number): Promise<void> {
    this.#findAgain = true;
    if (this.#finding) return;
    this.#finding = true;
    try {
      while (this.#findAgain && !this.#stopped) {
        this.#findAgain = false;
        await this.#findAll(done);
      }
    } catch (error) {
      if (!this.#stopped) {
        this.#stream.failed(error);
        this.#finder?.cancel();
        this.#finder = this.#stream.clock.after(FIND_AGAIN_MS, () => void this.find(done));
      }
    } finally {
      this.#finding = false;
    }
  }

  async #findAll(done: number): Promise<void> {
    const { store, tasks } = this.#stream;
    const firsts: number[] = [];
    const all = store.filter([]);
    try {
      await store.eachSubject(all, ({ firstSeq }) => firsts.push(firstSeq));
    } finally {
      all.close();
    }
    firsts.sort((a, b) => a - b);
    for (const [i, seq] of firsts.entries()) {
      if (i % AT_ONCE === AT_ONCE - 1) await new Promise<void>((resolve) => tasks.later(resolve));
      const reading = store.get(seq);
      const message = reading instanceof Promise ? await reading : reading;
      if (this.#stopped) return;
      if (message?.headers !== undefined) await this.#look(message, done);
    }
  }

  async #look({ seq, subject, time, headers }: StoredMessage, done: number): Promise<void> {
    const due = resumedDueOf(readHeaders(headers), time, done, this.#stream.zones);
    if (due === undefined || (await this.#isEnded(seq, subject)) || this.#stopped) return;
    const { store } = this.#stream;
    if (store.has(seq) && !this.#bySubject.has(subject)) this.#add(seq, subject, due.time);
  }

  /** Whether a message has come after a schedule, on its subject, that ends it. */
  async #isEnded(seq: number, subject: string): Promise<boolean> {
    const { store } = this.#stream;
    if (store.subject(subject)?.messages === 1) return false;
    const own = store.filter([subject]);
    try {
      for (let next = await store.next(own, seq + 1); next !== 0; next = await store.next(own, next + 1)) {
        const message = await store.get(next);
        if ((readHeaders(message?.headers).get(HEADERS.scheduler) ?? "") === "") return true;
      }
      return false;
    } finally {
      own.close();
    }
  }

  /** All from a sequence on has come to nothing, and what it had taken the place of is back. */
  refused(seq: number): void {
    for (const schedule of [...this.#bySeq.values()]) if (schedule.seq >= seq) this.#remove(schedule);
    void this.find(this.#stream.store.state.lastTime);
  }
}
