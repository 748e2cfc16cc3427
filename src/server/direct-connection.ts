import type { Broker } from "../broker/broker.ts";
import { Session } from "../broker/session.ts";
import type { SessionPeer } from "../broker/session-peer.ts";
import type { ClosedReason } from "../protocol/closed-reason.ts";
import type { ConnectOptions } from "../protocol/connect-options.ts";
import { FAULTS } from "../protocol/faults.ts";
import type { ServerInfo } from "../protocol/info.ts";
import type { Message } from "../protocol/message.ts";
import type { Slab } from "../protocol/slab.ts";
import type { Sid, SubscriptionRef } from "../protocol/verbs.ts";
import type { Timer } from "../seams/clock.ts";
import type { VerbLinkClient, VerbLinkServer } from "../seams/link.ts";

/** How often (ms) a held `PING` looks whether receivers have caught up. */
const CATCH_UP_LOOK_MS = 2;

/**
 * A client in this program: it calls the session, the session calls it. What it says takes effect at once; what that causes
 * in others happens after the code that called has finished.
 */
export class DirectConnection implements VerbLinkServer {
  readonly #broker: Broker;
  readonly #session: Session;
  readonly #ended: (connection: DirectConnection) => void;
  #catchUp: Timer | undefined;
  readonly #writeDeadline: number;
  #heldPings = 0;
  #suspended = false;
  #catchUpUntil = 0;

  /** @param writeDeadline - the longest (ms) that a `PING` is held for receivers that are behind. */
  constructor(
    broker: Broker,
    slab: Slab,
    client: VerbLinkClient,
    writeDeadline: number,
    ended: (connection: DirectConnection) => void,
  ) {
    this.#broker = broker;
    this.#ended = ended;
    this.#writeDeadline = writeDeadline;
    const peer = new DirectSessionPeer(
      client,
      (suspended) => this.#suspend(suspended),
      () => this.#closed(),
    );
    this.#session = new Session(broker, peer, { remoteHost: "", remotePort: 0, slab, type: "IN_PROCESS" });
  }

  /** Greets the client. */
  open(): void {
    this.#session.open();
    this.#broker.flushSoon();
  }

  connect(options: Partial<ConnectOptions>): void {
    this.#session.connect(options);
    this.#broker.flushSoon();
  }

  pub(message: Message): void {
    if (message.size > this.#session.maxPayload) {
      this.#session.fault(FAULTS.maxPayload, `maximum payload exceeded: ${message.size}`, message);
    } else {
      this.#session.lastActivity = this.#broker.turnTime();
      this.#session.pub(message);
    }
    this.#broker.flushSoon();
  }

  sub(subject: string, queue: string | undefined, sid: Sid): void {
    this.#session.lastActivity = this.#broker.turnTime();
    this.#session.sub(subject, queue, sid);
    this.#broker.flushSoon();
  }

  unsub(sid: Sid, max: number | undefined): void {
    this.#session.lastActivity = this.#broker.turnTime();
    this.#session.unsub(sid, max);
    this.#broker.flushSoon();
  }

  /**
   * The answer says that what was published before is on its way. A program that publishes faster than a receiver on a socket reads
   * cannot be made to wait as a socket can, but it is when it waits for this answer.
   */
  ping(): void {
    if (this.#suspended) {
      this.#heldPings += 1;
    } else if (this.#session.heldBy !== undefined) {
      this.#heldPings += 1;
      if (this.#catchUp === undefined) {
        this.#catchUpUntil = this.#broker.context.clock.monotonic() + this.#writeDeadline;
        this.#lookLater();
      }
    } else if (this.#heldPings > 0) {
      this.#heldPings += 1;
    } else {
      this.#session.ping();
    }
    this.#broker.flushSoon();
  }

  /** While it is decided who the client is, it waits for the answer to its `PING`. */
  #suspend(suspended: boolean): void {
    this.#suspended = suspended;
    if (suspended) return;
    for (; this.#heldPings > 0; this.#heldPings--) this.#session.ping();
    this.#broker.flushSoon();
  }

  #lookLater(): void {
    this.#catchUp = this.#broker.context.clock.after(CATCH_UP_LOOK_MS, () => {
      const late = this.#broker.context.clock.monotonic() >= this.#catchUpUntil;
      if (!late && this.#session.heldBy !== undefined) {
        this.#lookLater();
        return;
      }
      this.#catchUp = undefined;
      for (; this.#heldPings > 0; this.#heldPings--) this.#session.ping();
      this.#broker.flushSoon();
    });
  }

  pong(): void {
    this.#session.pong();
  }

  close(): void {
    this.#session.close("Client Closed");
  }

  /** For the server: ends the connection. */
  end(reason: ClosedReason): void {
    this.#session.close(reason);
  }

  #closed(): void {
    this.#catchUp?.cancel();
    this.#catchUp = undefined;
    this.#heldPings = 0;
    this.#ended(this);
  }
}

/** The session's peer in this program: hands the calls on. */
class DirectSessionPeer implements SessionPeer {
  headers = false;
  readonly behind = false;
  // Calls take no time, and none of them waits.
  readonly pending = 0;
  readonly rtt = 0;
  readonly #client: VerbLinkClient;
  readonly #closed: () => void;
  readonly suspend: (suspended: boolean) => void;
  readonly stalled = false;

  constructor(client: VerbLinkClient, suspend: (suspended: boolean) => void, closed: () => void) {
    this.#client = client;
    this.suspend = suspend;
    this.#closed = closed;
  }

  info(info: ServerInfo): void {
    this.#client.info(info);
  }

  msg(to: SubscriptionRef, message: Message, shared: boolean): void {
    this.#client.msg(to, message, shared);
  }

  ok(): void {
    this.#client.ok();
  }

  err(text: string): void {
    this.#client.err(text);
  }

  ping(): void {
    this.#client.ping();
  }

  pong(): void {
    this.#client.pong();
  }

  flush(): void {
    this.#client.flush();
  }

  close(reason: ClosedReason): void {
    this.#closed();
    this.#client.closed(reason);
  }
}
