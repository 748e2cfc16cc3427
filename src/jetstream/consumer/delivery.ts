import type { StoredMessage } from "../../storage/store.ts";
import { maxDeliveries } from "../api/events.ts";
import { withHeader } from "../publish/headers.ts";
import type { AckSubjects } from "./acks.ts";
import { ALARMS } from "./alarm.ts";
import type { Cursor } from "./cursor.ts";
import type { ConsumerOwner, Outlet } from "./owner.ts";
import type { Pace } from "./pace.ts";
import type { Redeliveries } from "./redeliveries.ts";

/** What is delivered is counted in bytes; a message counts so many more. */
const MESSAGE_WORK = 4 * 1024;
/** After so much it is looked how long that took. */
const LOOK_WORK = 64 * MESSAGE_WORK;
/** How long, and how much, may be delivered before the rest of the program has a turn; the time in ms. */
const TURN_MS = 2;
const TURN_WORK = 4 * LOOK_WORK;
/** Added to a wait for an acknowledgement, so that what was delivered together is looked at together; in ms. */
export const ACK_DELAY_MS = 1;

/** When a message could not be read, it is tried again so much later, in ms. */
const READ_AGAIN_MS = 1_000;

/** What has come of looking for a message to deliver: one went out, or why none did. */
type Step = "again" | "turn" | "disk" | "later" | "full" | "end";

/** Delivers: redeliveries first, then what comes next in the stream, for as long as somebody takes it. */
export class Delivery {
  readonly #owner: ConsumerOwner;
  readonly #cursor: Cursor;
  readonly #redeliveries: Redeliveries;
  readonly #subjects: AckSubjects;
  readonly #outlet: Outlet;
  readonly #pace: Pace;
  /** Whether something is being read from disk: nothing else is delivered before. */
  #reading = false;
  /** After a message could not be read nothing is before. */
  #notBefore = 0;
  /** Counts restarts: what was being read before is of no use after. */
  #epoch = 0;
  #now = 0;
  readonly #paused: () => boolean;
  #resting = true;
  /** What has been delivered since the last look at the clock, and since the rest of the program had a turn. */
  #sinceLook = 0;
  #sinceTurn = 0;
  /** Whether nothing more is delivered in this turn of the event loop: acknowledgements that come in it would keep it going for ever. */
  #yielding = false;
  /** When a message was delivered last, as `Clock.monotonic` has it; undefined before the first. */
  lastActive: number | undefined;

  constructor(
    owner: ConsumerOwner,
    parts: {
      readonly cursor: Cursor;
      readonly redeliveries: Redeliveries;
      readonly subjects: AckSubjects;
      readonly outlet: Outlet;
      readonly pace: Pace;
      readonly paused: () => boolean;
    },
  ) {
    this.#owner = owner;
    this.#cursor = parts.cursor;
    this.#redeliveries = parts.redeliveries;
    this.#subjects = parts.subjects;
    this.#outlet = parts.outlet;
    this.#pace = parts.pace;
    this.#paused = parts.paused;
  }

  /** What was being read is of no use any more. */
  interrupt(): void {
    this.#epoch += 1;
    this.#reading = false;
  }

  /** Looks after those who wait, while nothing is delivered. */
  attend(): void {
    this.#outlet.idle(this.#resting);
  }

  /** Delivers what can be delivered now. */
  run(): void {
    if (this.#reading || this.#yielding || this.#owner.host.closed) return;
    this.#resting = false;
    const { clock } = this.#owner.host.account;
    const began = (this.#now = clock.monotonic());
    let step: Step = "again";
    while (step === "again") {
      step = this.#step();
      this.#sinceLook += MESSAGE_WORK;
      if (step !== "again" || this.#sinceLook < LOOK_WORK) continue;
      this.#now = clock.monotonic();
      this.#sinceTurn += this.#sinceLook;
      this.#sinceLook = 0;
      if (this.#now - began >= TURN_MS || this.#sinceTurn >= TURN_WORK) step = "turn";
    }
    if (step === "turn") this.#yield();
    else this.#rest(step);
  }

  /** Goes on in another turn of the event loop. */
  #yield(): void {
    this.#yielding = true;
    this.#owner.host.account.tasks.later(() => {
      this.#yielding = false;
      this.#sinceTurn = 0;
      this.#owner.wake();
    });
  }

  #rest(step: Step): void {
    if (step === "disk") return;
    if (step === "later") {
      // Requests may expire meanwhile.
      this.#outlet.idle(false);
      return;
    }
    this.#resting = true;
    this.#pace.rested(this.#cursor.position);
    this.#outlet.idle(step === "end");
  }

  #step(): Step {
    if (this.#paused() || !this.#outlet.open) return "end";
    const blocked = this.#pace.blocked(this.#now);
    if (blocked > 0) return this.#later(blocked);
    if (this.#notBefore > this.#now) return this.#later(this.#notBefore - this.#now);
    if (!this.#cursor.count()) return "turn";
    const again = this.#nextAgain();
    if (again >= 0) return this.#load(this.#owner.state.pending.seq(again), true);
    const { maxAckPending } = this.#owner.config;
    if (maxAckPending > 0 && this.#owner.state.pending.size >= maxAckPending) return "full";
    const next = this.#cursor.next();
    if (typeof next === "number") return next === 0 ? "end" : this.#load(next, false);
    return this.#await(next.then(() => undefined));
  }

  /** The place of the next message to be delivered again; -1 for none. Those that have been delivered often enough are given up. */
  #nextAgain(): number {
    const { state, config } = this.#owner;
    for (let place = this.#redeliveries.first(); place >= 0; place = this.#redeliveries.first()) {
      const redeliveries = state.pending.redeliveries(place) + 1;
      if (config.maxDeliver <= 0 || redeliveries < config.maxDeliver) return place;
      this.#redeliveries.shift(place);
      this.exhausted(place, redeliveries);
    }
    return -1;
  }

  /** A pending message has been delivered so often that it is not again. */
  exhausted(place: number, deliveries: number): void {
    const { state, config, host, stream, consumer } = this.#owner;
    const seq = state.pending.seq(place);
    state.exhaust(place, deliveries);
    // Where the limit has become lower meanwhile, nothing is told.
    if (deliveries !== config.maxDeliver) return;
    host.account.tell(`$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${stream}.${consumer}`, (stamp) =>
      maxDeliveries(stamp, { stream, consumer }, seq, deliveries),
    );
  }

  #load(seq: number, again: boolean): Step {
    const message = this.#owner.host.store.borrow(seq);
    if (message instanceof Promise) {
      const epoch = this.#epoch;
      return this.#await(
        message.then((read) => {
          // While it was read it may have been acknowledged, or the position moved.
          if (epoch === this.#epoch && this.#isNext(seq, again)) this.#deliver(seq, read, again);
        }),
      );
    }
    return this.#deliver(seq, message, again);
  }

  #isNext(seq: number, again: boolean): boolean {
    const { state, config } = this.#owner;
    if (this.#paused() || !this.#outlet.open) return false;
    if (again) {
      const place = this.#redeliveries.first();
      return place >= 0 && state.pending.seq(place) === seq;
    }
    const { maxAckPending } = config;
    if (maxAckPending > 0 && state.pending.size >= maxAckPending) return false;
    return this.#cursor.next() === seq && this.#cursor.count();
  }

  #await(read: Promise<void>): Step {
    const epoch = this.#epoch;
    this.#reading = true;
    const done = (): boolean => {
      if (epoch !== this.#epoch) return false;
      this.#reading = false;
      return true;
    };
    read.then(
      () => {
        if (done()) this.#owner.wake();
      },
      (error: unknown) => {
        if (!done()) return;
        const { host, stream, consumer } = this.#owner;
        host.account.logger.error(
          `Consumer '${host.account.name} > ${stream} > ${consumer}' cannot read its stream: ${String(error)}`,
        );
        // Else each message that comes would have it tried, and none if none comes.
        this.#notBefore = host.account.clock.monotonic() + READ_AGAIN_MS;
        this.#owner.wake();
      },
    );
    return "disk";
  }

  #deliver(seq: number, message: StoredMessage | undefined, again: boolean): Step {
    const { state, config, host } = this.#owner;
    if (message === undefined) {
      if (again) {
        const place = state.pending.find(seq);
        if (place >= 0) this.#redeliveries.shift(place);
      } else this.#cursor.pass(seq, host.store.has(seq));
      return "again";
    }
    const { pending, delivered } = state;
    const place = again ? pending.find(seq) : -1;
    const deliveries = again ? pending.redeliveries(place) + 2 : 1;
    const left = this.#cursor.left - (again ? 0 : 1);
    const reply = this.#subjects.replyTo(seq, delivered.consumer + 1, deliveries, message.time, left);
    let { headers, payload } = message;
    if (config.headersOnly) {
      headers = withHeader(headers, "Nats-Msg-Size", String(payload.length));
      payload = payload.subarray(0, 0);
    }
    const size = message.subject.length + reply.length + (headers?.length ?? 0) + payload.length;
    const wait = this.#pace.wait(seq, message.time, size, this.#now);
    if (wait > 0) return this.#later(wait);
    const to = this.#outlet.take(size, this.#now, again);
    if (to === undefined) return "end";
    this.#sinceLook += size;
    const { mark } = this.#outlet;
    if (mark !== undefined) headers = withHeader(headers, mark[0], mark[1]);
    if (again) {
      this.#redeliveries.shift(place);
      state.redeliver(place, this.#now);
    } else {
      this.#cursor.pass(seq, true);
      state.deliver(seq, this.#now);
    }
    this.lastActive = this.#now;
    this.#pace.sent(message.time, size);
    if (config.ackPolicy !== "none") this.#expectAck(deliveries - 1);
    const { client } = host.account;
    if (!client.deliver(to, message.subject, reply, headers, payload)) this.#outlet.missed(to);
    this.#outlet.sent(to, size - message.subject.length + to.length);
    if (config.ackPolicy === "none" && host.config.retention !== "limits") host.released(seq);
    const { behind } = client;
    if (behind !== undefined) this.#pace.holdFor(behind);
    return "again";
  }

  #later(wait: number): Step {
    this.#owner.alarm.setEarliest(ALARMS.pace, this.#now + wait);
    return "later";
  }

  /** The message that has just been delivered is to be acknowledged in time. */
  #expectAck(redeliveries: number): void {
    const { config, alarm } = this.#owner;
    const wait = ackWait(config, redeliveries);
    if (wait > 0) alarm.setEarliest(ALARMS.acks, this.#now + wait + ACK_DELAY_MS);
  }
}

/** How long a message may be unacknowledged that has been delivered again so often, in ms; 0 for ever. */
export function ackWait(
  { backoff, ackWait: usual }: { readonly backoff: readonly number[]; readonly ackWait: number },
  redeliveries: number,
): number {
  return backoff.length === 0 ? usual : backoff[Math.min(redeliveries, backoff.length - 1)];
}
