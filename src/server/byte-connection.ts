import type { Broker } from "../broker/broker.ts";
import { Session } from "../broker/session.ts";
import type { SessionOptions } from "../broker/session-options.ts";
import type { BufferPool } from "../protocol/buffer-pool.ts";
import { type ClientReaderLimits, ClientVerbReader } from "../protocol/client-reader.ts";
import type { ClosedReason } from "../protocol/closed-reason.ts";
import type { ConnectOptions } from "../protocol/connect-options.ts";
import { FAULTS, type ProtocolFault } from "../protocol/faults.ts";
import { Message } from "../protocol/message.ts";
import { Outbox } from "../protocol/outbox.ts";
import type { Slab } from "../protocol/slab.ts";
import type { ClientVerbs, FaultSink, Sid } from "../protocol/verbs.ts";
import type { Timer } from "../seams/clock.ts";
import type { ByteLink, ByteLinkHandler } from "../seams/link.ts";
import type { SecurableLink, TlsFacts } from "../seams/tls.ts";
import { ByteSessionPeer } from "./byte-session-peer.ts";
import { ClientInput } from "./client-input.ts";
import { Greeting } from "./greeting.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { InputTurns } from "./input-turns.ts";
import { LinkEnd } from "./link-end.ts";
import type { ListenerTls } from "./listener-tls.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";
import { WriteDeadline } from "./write-deadline.ts";

const LETTER_C = 67;

/** How a client came in, and what is known of it before it has said anything. */
export interface ConnectionEntry extends Pick<SessionOptions, "type" | "credentials" | "forwardedFor"> {
  /** What its TLS handshake has settled, where that lies behind it. */
  readonly tls?: TlsFacts;
  /** Milliseconds between pings, in place of the server's. */
  readonly pingInterval?: number;
}

/** What all connections of a server share. */
export interface ConnectionContext {
  readonly broker: Broker;
  readonly pool: BufferPool;
  readonly slab: Slab;
  readonly turns: InputTurns;
  readonly options: ResolvedServerOptions;
  /** Told when the connection's link has ended. */
  ended(connection: ByteConnection): void;
}

/**
 * A client over a link of bytes: reads what it says, gives that to a session, and writes what the session says. Sees to what only
 * bytes need: pings, clients that read too slowly, producers that are too fast for them.
 */
export class ByteConnection implements ByteLinkHandler, ClientVerbs, FaultSink {
  readonly #context: ConnectionContext;
  readonly #link: ByteLink;
  readonly #outbox: Outbox;
  readonly #peer: ByteSessionPeer;
  readonly #session: Session;
  readonly #reader: ClientVerbReader;
  readonly #input: ClientInput;
  readonly #limits: ClientReaderLimits;
  readonly #heartbeat: Heartbeat;
  readonly #writeDeadline: WriteDeadline;
  readonly #end: LinkEnd;
  /** Runs while a client on a listener with TLS has not yet got so far that it may speak. */
  #greeting: Greeting | undefined;
  /** Whether the chunk being read holds something that shows a client at work: not a mere PING or PONG. */
  #active = false;
  #pinged = false;
  /** The length of the chunk that is being read, or was last. */
  #chunkBytes = 0;

  /** @param entry - how the client came in, and what is known of it already. */
  constructor(context: ConnectionContext, link: ByteLink, entry: ConnectionEntry) {
    this.#context = context;
    this.#link = link;
    const { broker, options } = context;
    this.#outbox = new Outbox(link, context.pool);
    this.#peer = new ByteSessionPeer(this.#outbox, this);
    this.#session = new Session(broker, this.#peer, {
      remoteHost: link.remoteHost,
      remotePort: link.remotePort,
      slab: context.slab,
      type: entry.type,
      credentials: entry.credentials,
      forwardedFor: entry.forwardedFor,
    });
    this.#session.tls = entry.tls;
    const { limits } = broker.context;
    this.#limits = { maxControlLine: limits.maxControlLine, maxPayload: limits.maxPayload, headers: false };
    this.#reader = new ClientVerbReader(this, new Message(context.slab), this.#limits, context.pool);
    this.#input = new ClientInput(link, this.#reader, context.turns, () => this.#goOn());
    this.#writeDeadline = new WriteDeadline({
      clock: broker.context.clock,
      link,
      outbox: this.#outbox,
      options: () => context.options,
      slow: (deadline, again) => this.#slow(deadline, again),
      late: () => this.#session.close("Slow Consumer (Write Deadline)"),
      recovered: (took, chunks, bytes) =>
        this.#tell(
          `Slow Consumer Recovered: Flush took ${(took / 1_000).toFixed(3)}s with ${chunks} chunks of ${bytes} total bytes.`,
        ),
    });
    this.#end = new LinkEnd({
      link,
      outbox: this.#outbox,
      ended: () => this.#input.ended,
      writeDeadline: () => context.options.writeDeadline,
      after: (delay, action) => this.after(delay, action),
      whenSent: (action) => this.#peer.whenSent(action),
      slow: (deadline) => this.#slow(deadline),
    });
    this.#heartbeat = new Heartbeat({
      clock: broker.context.clock,
      random: broker.context.random,
      get interval() {
        return entry.pingInterval ?? context.options.pingInterval;
      },
      get max() {
        return context.options.pingMax;
      },
      shortFirst: !options.disableShortFirstPing,
      ping: () => {
        this.#peer.ping();
        this.#outbox.flush();
      },
      stale: () => {
        broker.staleConnections += 1;
        this.#session.fault(FAULTS.staleConnection, "Stale Client Connection - Closing");
      },
    });
  }

  /** Greets the client and begins to read. */
  open(): void {
    this.#link.start(this);
    this.#session.open();
    this.#context.broker.flush();
  }

  /** The same as {@link open}, where TLS is spoken on the link: the client may speak once it has come that far. */
  openSecurable(link: SecurableLink, tls: ListenerTls): void {
    this.#greeting = new Greeting(this.#context.broker, this.#session, link, tls, () => {
      this.#greeted();
      this.#session.expectConnect();
    });
    this.#greeting.begin();
  }

  #greeted(): void {
    if (this.#greeting === undefined) return;
    this.#greeting.stop();
    this.#greeting = undefined;
    this.#link.start(this);
  }

  /** Ends the connection for the reason given. */
  close(reason: ClosedReason): void {
    this.#session.close(reason);
  }

  // The link tells.

  data(bytes: Uint8Array): void {
    if (this.#session.closed) return;
    const { broker } = this.#context;
    const session = this.#session;
    this.#chunkBytes = bytes.length;
    this.#limits.maxControlLine = broker.context.limits.maxControlLine;
    // Who must say who he is has to begin with that, whatever else he sends (nats-server parser.go).
    const gated = session.awaitsConnect && this.#reader.atStart && (bytes[0] & 0xdf) !== LETTER_C;
    if (!gated || session.enterUnnamed()) {
      this.#limits.maxPayload = session.maxPayload;
      this.#input.read(bytes);
    }
    this.#readSome(bytes.length);
  }

  /** There is time for what there was none for. */
  #goOn(): void {
    this.#limits.maxControlLine = this.#context.broker.context.limits.maxControlLine;
    this.#limits.maxPayload = this.#session.maxPayload;
    this.#input.readOn();
    this.#readSome(0);
  }

  #finish(): void {
    if (this.#input.finish()) this.#readSome(0);
  }

  /** Something was read: sees to all that follows from that. @param bytes - the length of what has come. */
  #readSome(bytes: number): void {
    const { broker } = this.#context;
    const session = this.#session;
    if (this.#active || this.#pinged) {
      if (this.#active) session.lastActivity = broker.turnTime();
      this.#active = false;
      this.#pinged = false;
      this.#heartbeat.input();
    }
    if (this.#link.inPieces === true) broker.flushAfterTurn(bytes);
    else broker.flush();
    const { heldBy } = session;
    if (heldBy instanceof ByteSessionPeer) heldBy.hold(this);
  }

  drained(): void {
    this.#writeDeadline.drained();
    this.#outbox.drained();
    this.#peer.headway();
    this.#writeDeadline.watch();
  }

  finished(): void {
    this.#finish();
    this.#session.close("Client Closed");
  }

  closed(error: Error | undefined): void {
    this.#finish();
    this.#input.end();
    this.#session.close(error === undefined ? "Client Closed" : "Read Error");
    this.#end.done();
    this.#context.ended(this);
  }

  // The client says; the session does.

  connect(options: Partial<ConnectOptions>): void {
    this.#heartbeat.connected();
    this.#session.connect(options);
    this.#limits.headers = this.#peer.headers;
    // What came with it goes by the account's limits already.
    this.#limits.maxPayload = this.#session.maxPayload;
  }

  pub(message: Message): void {
    this.#active = true;
    this.#session.pub(message);
  }

  sub(subject: string, queue: string | undefined, sid: Sid): void {
    this.#active = true;
    this.#session.sub(subject, queue, sid);
  }

  unsub(sid: Sid, max: number | undefined): void {
    this.#active = true;
    this.#session.unsub(sid, max);
  }

  ping(): void {
    this.#pinged = true;
    this.#session.ping();
  }

  pong(): void {
    this.#session.pong();
    this.#heartbeat.pong();
  }

  fault(fault: ProtocolFault, detail: string, message?: Message): void {
    this.#session.fault(fault, detail, message);
  }

  // The peer's side of sending.

  /** Stops or resumes reading from this client, which gives others too much. */
  hold(held: boolean): void {
    this.#input.hold(held);
  }

  /** Stops or resumes taking what this client says. */
  suspend(suspended: boolean): void {
    if (suspended) {
      this.#input.suspend();
    } else {
      this.#limits.maxPayload = this.#session.maxPayload;
      this.#input.resume();
    }
  }

  /** Calls `action` in `delay` ms. */
  after(delay: number, action: () => void): Timer {
    return this.#context.broker.context.clock.after(delay, action);
  }

  /** Bytes that wait for the client. */
  get pending(): number {
    return this.#outbox.pending;
  }

  /** The way to the client and back, in ms. */
  get rtt(): number {
    return this.#heartbeat.rtt;
  }

  /** A receiver that is behind has this client wait. */
  stall(): void {
    this.#session.stalls += 1;
    this.#context.broker.stalls += 1;
    this.hold(true);
  }

  /** Bytes that may wait before the client is cut off. */
  get maxPending(): number {
    return this.#context.broker.context.limits.maxPending;
  }

  /** More waits for the client than is allowed. */
  tooSlow(): void {
    if (this.#session.closed) return;
    this.#context.broker.slowConsumer(this.#session);
    this.#tell(`Slow Consumer Detected: MaxPending of ${this.maxPending} Exceeded`);
    this.#session.close("Slow Consumer (Pending Bytes)");
  }

  /** The client takes too long to take what was written. @param deadline - how long (ms) it may take. @param again - not for the first time. */
  #slow(deadline: number, again = false): void {
    const { chunks, pending } = this.#outbox;
    this.#context.broker.slowConsumer(this.#session);
    this.#tell(
      `Slow Consumer ${again ? "State" : "Detected"}: WriteDeadline of ${deadline / 1_000}s exceeded with ${chunks} chunks of ${pending} total bytes.`,
    );
  }

  #tell(text: string): void {
    this.#context.broker.context.logger.notice(`${this.#session.label} - ${text}`);
  }

  /** Sends what was written. */
  flush(): void {
    this.#outbox.flush();
    if (this.#outbox.busy) this.#writeDeadline.watch();
  }

  /** The session has ended: the last bytes go out unless there is no point in it, then the link ends. */
  sessionClosed(reason: ClosedReason): void {
    this.#input.stop();
    this.#heartbeat.stop();
    this.#writeDeadline.stop();
    this.#greeted();
    this.#end.begin(reason, this.#chunkBytes);
  }

  /** Ends the link at once, whatever waits to be sent. */
  destroy(): void {
    if (!this.#input.ended) this.#link.destroy();
  }
}
