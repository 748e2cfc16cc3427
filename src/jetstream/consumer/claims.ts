import { Pacer } from "../../storage/pacer.ts";
import { isSubset } from "../subjects.ts";
import type { AckHandler } from "./ack-handler.ts";
import { filtersOf } from "./config.ts";
import type { Cursor } from "./cursor.ts";
import type { ConsumerOwner } from "./owner.ts";

/** Which messages of the stream concern a consumer, and what becomes of it when they go. */
export class Claims {
  readonly #owner: ConsumerOwner;
  readonly #cursor: Cursor;
  readonly #acks: AckHandler;

  constructor(owner: ConsumerOwner, cursor: Cursor, acks: AckHandler) {
    this.#owner = owner;
    this.#cursor = cursor;
    this.#acks = acks;
  }

  /** Whether the consumer wants messages on a subject. */
  wants(subject: string): boolean {
    return this.#cursor.filter.matches(subject);
  }

  /** Whether all that the consumer wants matches a pattern. */
  isWithin(pattern: string): boolean {
    const filters = filtersOf(this.#owner.config);
    return filters.length > 0 && filters.every((filter) => isSubset(filter, pattern));
  }

  /** Whether a stream that keeps messages for consumers must keep this one (nats-server `needAck`). */
  needs(seq: number, subject: string): boolean {
    if (!this.wants(subject)) return false;
    const { floor, pending, exhausted } = this.#owner.state;
    if (exhausted.size > 0 && exhausted.has(seq)) return true;
    if (seq <= floor.stream) return false;
    if (this.#owner.config.ackPolicy !== "explicit") return true;
    return seq >= this.#cursor.position || pending.find(seq) >= 0;
  }

  /** Whether the state says something about a message. */
  tracks(seq: number): boolean {
    const { pending, exhausted } = this.#owner.state;
    return pending.find(seq) >= 0 || exhausted.has(seq);
  }

  /** Whether a message is still to come, if the consumer wants its subject. */
  expects(seq: number): boolean {
    return this.#cursor.expects(seq);
  }

  /** A message has gone from the stream. @param quietly - because somebody has asked for that. */
  gone(seq: number, quietly: boolean): void {
    this.#acks.gone(seq, quietly);
  }

  /** Forgets those messages that have gone from the stream, without a word. */
  forgetGone(): void {
    const { state, host } = this.#owner;
    const { pending, exhausted } = state;
    const gone: number[] = [];
    for (let place = pending.first(); place >= 0; place = pending.next(place)) {
      if (!host.store.has(pending.seq(place))) gone.push(pending.seq(place));
    }
    for (const seq of exhausted.keys()) if (!host.store.has(seq)) gone.push(seq);
    for (const seq of gone) this.#acks.gone(seq, true);
  }

  /** The stream was purged: of what the consumer wants, nothing before `first` is left. */
  purged(first: number): void {
    this.#cursor.skipTo(first);
    this.#owner.state.purged(first);
    this.forgetGone();
    this.#owner.wake();
  }

  /**
   * Has the stream look at what is settled and may still be there, as when the server ended between the one and the other. Others below
   * the floor may be waited for: other filters may have left them out, or a reset.
   */
  async releaseSettled(settled: readonly number[]): Promise<void> {
    const { host } = this.#owner;
    const pacer = new Pacer(host.account.clock);
    for (const seq of settled) {
      const subject = host.store.subjectOf(seq);
      if (subject !== undefined && !this.needs(seq, subject)) host.released(seq);
      if (pacer.due) await pacer.rest();
    }
  }
}
