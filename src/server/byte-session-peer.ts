import type { SessionPeer } from "../broker/session-peer.ts";
import type { ClosedReason } from "../protocol/closed-reason.ts";
import type { Message } from "../protocol/message.ts";
import type { Outbox } from "../protocol/outbox.ts";
import { ServerVerbWriter } from "../protocol/server-writer.ts";
import type { SubscriptionRef } from "../protocol/verbs.ts";
import type { Timer } from "../seams/clock.ts";
import type { ByteConnection } from "./byte-connection.ts";

/** A producer is held back at most this long (ms) for one chunk of its input (nats-server `stallTotalAllowed`). */
const HOLD_MS = 10;
/** From here on (bytes) a receiver that is making headway has its producers wait: more in line would only cost memory. */
const SOFT_BEHIND_BYTES = 2 * 1024 * 1024;

/** The session's peer over bytes: a writer that watches how much waits. */
export class ByteSessionPeer extends ServerVerbWriter implements SessionPeer {
  readonly #outbox: Outbox;
  readonly #connection: ByteConnection;
  readonly #held = new Set<ByteConnection>();
  #timer: Timer | undefined;
  /** The client has not taken anything while producers waited for it: they wait no more until it does. */
  #stuck = false;
  #sent: (() => void) | undefined;

  constructor(outbox: Outbox, connection: ByteConnection) {
    super(outbox);
    this.#outbox = outbox;
    this.#connection = connection;
  }

  override msg(to: SubscriptionRef, message: Message): void {
    super.msg(to, message);
    if (this.#outbox.busy && this.#outbox.pending > this.#connection.maxPending) this.#connection.tooSlow();
  }

  get behind(): boolean {
    if (!this.#outbox.busy) return false;
    const { pending } = this.#outbox;
    if (pending > this.#connection.maxPending * 0.75) return true;
    return pending > SOFT_BEHIND_BYTES && !this.#stuck;
  }

  get stalled(): boolean {
    return this.#outbox.busy && this.#outbox.pending > this.#connection.maxPending * 0.75;
  }

  suspend(suspended: boolean): void {
    this.#connection.suspend(suspended);
  }

  get pending(): number {
    return this.#connection.pending;
  }

  get rtt(): number {
    return this.#connection.rtt;
  }

  flush(): void {
    this.#connection.flush();
  }

  close(reason: ClosedReason): void {
    this.#release();
    this.#connection.sessionClosed(reason);
  }

  /** Has a producer wait until the client has caught up, or for as long as it may be asked to. */
  hold(producer: ByteConnection): void {
    if (this.#held.has(producer)) return;
    this.#held.add(producer);
    producer.stall();
    this.#timer ??= this.#connection.after(HOLD_MS, () => {
      this.#stuck = true;
      this.#release();
    });
  }

  /** The link has sent what it held. */
  headway(): void {
    this.#stuck = false;
    const sent = this.#sent;
    this.#sent = undefined;
    sent?.();
    if (this.#held.size > 0 && this.#outbox.pending <= SOFT_BEHIND_BYTES / 2) this.#release();
  }

  /** Calls `action` when the link has sent what it holds now. */
  whenSent(action: () => void): void {
    this.#sent = action;
  }

  #release(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const producer of this.#held) producer.hold(false);
    this.#held.clear();
  }
}
