import type { Timer } from "../../seams/clock.ts";
import type { StreamStore } from "../../storage/store.ts";
import type { AccountContext } from "../account/context.ts";
import { HEADERS, type HeaderValues, readHeaders } from "../publish/headers.ts";
import { dueBy, scheduledMessage, scheduleSource } from "../publish/scheduled.ts";
import type { StreamConfig } from "./config.ts";
import { type DueAt, DueTimes } from "./due-times.ts";
import type { Incoming } from "./incoming.ts";

/** Timers are set no further ahead than this, in ms. */
const LONGEST_MS = 3_600_000;
/** How many messages are looked at, or made, in one go. */
const AT_ONCE = 512;

/** The stream that has schedules. */
export interface SchedulingStream {
  readonly account: AccountContext;
  readonly config: StreamConfig;
  readonly store: StreamStore;
  readonly closed: boolean;
  /** Stores a message that a schedule has made. */
  bring(message: Incoming): void;
}

/** Publishes the messages that others of the stream schedule, when they are due (behaviour.md D.7). */
export class Scheduler {
  readonly #stream: SchedulingStream;
  readonly #due = new DueTimes();
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #running = false;
  #looked = false;

  constructor(stream: SchedulingStream) {
    this.#stream = stream;
  }

  /** A message was stored. */
  stored(seq: number, subject: string, values: HeaderValues, now: number): void {
    if (!this.#stream.config.allowMsgSchedules) return;
    const due = values.has(HEADERS.schedule)
      ? dueBy(values, now, now, this.#stream.account.zones)
      : undefined;
    if (due !== undefined) this.#set({ subject, seq, time: due.time });
    else if (this.#due.size > 0) this.#due.delete(subject);
  }

  #set(due: DueAt): void {
    this.#due.set(due);
    this.#wait(due.time);
  }

  /** Looks for the schedules among the messages that there are, once. */
  async look(): Promise<void> {
    const { config, store, account } = this.#stream;
    if (this.#looked || !config.allowMsgSchedules) return;
    this.#looked = true;
    const all = store.filter([]);
    let looked = 0;
    for (let seq = store.state.firstSeq; ; seq += 1) {
      seq = await store.next(all, seq);
      const message = seq === 0 || this.#stream.closed ? undefined : await store.get(seq);
      if (seq === 0 || this.#stream.closed) break;
      if (message?.headers === undefined) continue;
      const { subject, headers, time } = message;
      const due = dueBy(readHeaders(headers), time, account.clock.now(), account.zones);
      if (due !== undefined && store.subject(subject)?.lastSeq === seq) {
        this.#set({ subject, seq, time: due.time });
      }
      if (++looked % AT_ONCE === 0) await new Promise<void>((resolve) => account.clock.after(0, resolve));
    }
    all.close();
  }

  /** Ends it. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(time: number): void {
    if (time >= this.#timerAt || this.#running || this.#stream.closed) return;
    const { clock } = this.#stream.account;
    this.#timer?.cancel();
    const now = clock.now();
    this.#timerAt = Math.min(time, now + LONGEST_MS);
    this.#timer = clock.after(Math.max(0, this.#timerAt - now), () => {
      this.#timer = undefined;
      this.#timerAt = Infinity;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let i = 0; i < AT_ONCE; i++) {
        const due = this.#due.first();
        if (due === undefined || this.#stream.closed || due.time > this.#stream.account.clock.now()) break;
        await this.#make(due);
      }
    } finally {
      this.#running = false;
    }
    const next = this.#due.first();
    if (next !== undefined) this.#wait(next.time);
  }

  async #make(due: DueAt): Promise<void> {
    const { store, account } = this.#stream;
    const there = store.subject(due.subject)?.lastSeq === due.seq;
    const schedule = there ? await store.get(due.seq) : undefined;
    const from = schedule === undefined ? "" : scheduleSource(schedule.headers);
    const last = from === "" ? undefined : store.subject(from);
    const source = last && (await store.get(last.lastSeq));
    // What has been put in its place meanwhile is due at a time of its own.
    if (this.#due.first() !== due || this.#stream.closed) return;
    this.#due.delete(due.subject);
    if (schedule === undefined) return;
    const made = scheduledMessage(schedule, source, due.time, account.clock.now(), account.zones);
    if (made === undefined) return;
    const { subject, headers, payload, next } = made;
    if (next !== undefined) this.#due.set({ ...due, time: next });
    this.#stream.bring({ subject, headers, payload, reply: "", sourced: true });
  }
}
