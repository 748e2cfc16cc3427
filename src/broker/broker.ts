import type { ClosedReason } from "../protocol/closed-reason.ts";
import type { ServerInfo } from "../protocol/info.ts";
import type { Slab } from "../protocol/slab.ts";
import type { Clock } from "../seams/clock.ts";
import type { SwitchedLogger } from "../seams/logger.ts";
import type { Random } from "../seams/random.ts";
import type { Tasks } from "../seams/tasks.ts";
import { Account, GLOBAL_ACCOUNT } from "./account.ts";
import type { Authenticator, ConnectionType } from "./authenticator.ts";
import { ClosedConnections } from "./closed-connections.ts";
import type { SubscriptionRecord } from "./connection-record.ts";
import { InternalPublisher } from "./internal-publisher.ts";
import type { ConnectionObserver, InternalServices } from "./internal-services.ts";
import type { TraceRules } from "./protocol-trace.ts";
import type { Receiver } from "./receiver.ts";
import type { Session } from "./session.ts";
import type { Tracer } from "./trace/message-trace.ts";
import { addTraffic, type Traffic } from "./traffic.ts";

/** What every connection is held to (behaviour.md A.8). Read when it applies, so that a change holds for open connections. */
export interface BrokerLimits {
  /** Connections at a time. */
  maxConnections: number;
  /** Bytes of headers and payload of a message. */
  maxPayload: number;
  /** Bytes of the arguments of a protocol line. */
  maxControlLine: number;
  /** Bytes that may wait for a connection that does not read them. */
  maxPending: number;
  /** Subscriptions of a connection; 0 for no limit. */
  maxSubscriptions: number;
  /** Tokens of a subscription's subject; 0 for no limit. */
  maxSubTokens: number;
  /** Whether messages are dropped for receivers that are behind, instead of holding producers back. */
  noFastProducerStall: boolean;
  /** Connections that have ended and are remembered; applies from the start. */
  readonly maxClosedClients: number;
}

/** What the outside gives a {@link Broker}. */
export interface BrokerContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly tasks: Tasks;
  readonly logger: SwitchedLogger;
  readonly slab: Slab;
  readonly limits: BrokerLimits;
  readonly trace: TraceRules;
  /** The name of the account of the server's own events and services, if there is to be one. */
  readonly systemAccount: string | undefined;
  /** Whether accounts remember no routes. */
  readonly noSublistCache: boolean;
  /** What `INFO` says of the server, without what belongs to the connection. */
  info(): ServerInfo;
  /** Makes of INFO what it says to those who come in that way. */
  adaptInfo?(info: ServerInfo, type: ConnectionType): ServerInfo;
}

/** How often a flush goes round before the rest of the program gets a turn. */
const FLUSH_ROUNDS = 8;

/** How many bytes may have come in a turn of the event loop before what they caused goes out within it. */
const TURN_BYTES = 64 * 1024;

/** The length up to which an array of touched sessions is used again. */
const TOUCHED_KEPT = 64;

/** The connections of a server and the accounts they are in. */
export class Broker {
  readonly context: BrokerContext;
  readonly sessions = new Map<number, Session>();
  readonly accounts = new Map<string, Account>();
  readonly globalAccount: Account;
  /** Undefined when there is none. */
  readonly systemAccount: Account | undefined;
  /** Decides who may connect; undefined lets everybody in. */
  authenticator: Authenticator | undefined;
  /** What serves requests to the server itself, and is told of connections; undefined when nothing does. */
  services: InternalServices | undefined;
  /** What serves requests to JetStream; undefined where there is none. */
  api: InternalServices | undefined;
  /** Takes the traces of messages; undefined when nothing does, and they are lost. */
  tracer: Tracer | undefined;
  observer: ConnectionObserver | undefined;
  readonly #publishers = new Map<Account, InternalPublisher>();
  /** Connections that were closed because they did not read what was sent to them. */
  slowConsumers = 0;
  /** Connections that were closed because they did not answer pings. */
  staleConnections = 0;
  /** How often producers were held back because a receiver was behind. */
  stalls = 0;
  /** The connections that have ended last. */
  readonly closed: ClosedConnections;
  /** How many connections there have ever been. */
  totalConnections = 0;
  /** What connections that are closed now have sent and got. */
  readonly #past: Traffic = { inMsgs: 0, inBytes: 0, outMsgs: 0, outBytes: 0 };
  /** Who has something to flush: the first of each array, which are reused as they are. */
  #touched: Receiver[] = [];
  #touchedCount = 0;
  #spare: Receiver[] = [];
  #flushing = false;
  #flushPlanned = false;
  /** Bytes that have come and are to be answered when this turn of the event loop is over; 0 for none. */
  #turnBytes = 0;
  #turnTime = 0;

  constructor(context: BrokerContext) {
    this.context = context;
    this.closed = new ClosedConnections(context.limits.maxClosedClients);
    this.globalAccount = this.account(GLOBAL_ACCOUNT);
    this.systemAccount =
      context.systemAccount === undefined ? undefined : this.account(context.systemAccount);
  }

  /** The account of that name, made when it is asked for first. */
  account(name: string): Account {
    let account = this.accounts.get(name);
    if (account === undefined) {
      account = new Account(name, name === this.context.systemAccount, this.context.noSublistCache);
      this.accounts.set(name, account);
    }
    return account;
  }

  /** What the server publishes with in an account. */
  publisher(account: Account): InternalPublisher {
    let publisher = this.#publishers.get(account);
    if (publisher === undefined) {
      this.#publishers.set(account, (publisher = new InternalPublisher(this, account)));
    }
    return publisher;
  }

  /** The time (ms since the epoch) at which what runs now began: asked for once until the next flush. */
  turnTime(): number {
    if (this.#turnTime === 0) this.#turnTime = this.context.clock.now();
    return this.#turnTime;
  }

  /** A connection is closed because it does not read what is sent to it. */
  slowConsumer(session: Session): void {
    this.slowConsumers += 1;
    session.account.slowConsumers += 1;
  }

  /** Begins or ends to log the protocol's lines, as the rules in the context say, for what is there. */
  applyTrace(): void {
    const { on, verbose } = this.context.trace;
    for (const session of this.sessions.values()) session.trace(on);
    for (const publisher of this.#publishers.values()) publisher.trace(on && verbose);
  }

  /** The id of the next connection. */
  nextClientId(): number {
    this.totalConnections += 1;
    return this.totalConnections;
  }

  /** Messages and bytes since the start, of all connections. */
  traffic(): Traffic {
    const sum = { ...this.#past };
    for (const session of this.sessions.values()) addTraffic(sum, session.traffic);
    return sum;
  }

  /** How many subscriptions there are. */
  get subscriptions(): number {
    let count = 0;
    for (const account of this.accounts.values()) count += account.router.count;
    return count;
  }

  /** A session has something to send: it will be flushed by the next {@link flush}. */
  touch(session: Receiver): void {
    this.#touched[this.#touchedCount++] = session;
  }

  /**
   * Flushes every session that was touched. Called when a chunk of input is done, so that what it caused goes out in one piece
   * per connection. What user code in this process causes meanwhile is flushed too, for some rounds; then it waits for another turn, so
   * that no chain of callbacks is endless.
   */
  flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      for (let round = 0; round < FLUSH_ROUNDS && this.#touchedCount > 0; round++) {
        const batch = this.#touched;
        const count = this.#touchedCount;
        this.#touched = this.#spare;
        this.#touchedCount = 0;
        this.#spare = batch;
        for (let i = 0; i < count; i++) batch[i].flush();
        // What a burst has made long would hold on to sessions that have gone.
        if (batch.length > TOUCHED_KEPT) this.#spare = [];
      }
    } finally {
      this.#flushing = false;
      this.#turnTime = 0;
      if (this.#touchedCount > 0) this.flushSoon();
    }
  }

  /** Flushes after the code that runs now: for calls that come from a program, not from a socket. */
  flushSoon(): void {
    if (this.#flushPlanned || this.#flushing) return;
    this.#flushPlanned = true;
    this.context.tasks.soon(this.#plannedFlush);
  }

  /**
   * Flushes once all that this turn of the event loop brings has been read: for links that hand over in pieces what has come at
   * once, so that it is answered in one piece nevertheless. Does so at once when much has come.
   * @param bytes - the length of the piece.
   */
  flushAfterTurn(bytes: number): void {
    const planned = this.#turnBytes > 0;
    this.#turnBytes += bytes;
    if (this.#turnBytes >= TURN_BYTES) {
      // What follows in this turn is counted again, and the flush that is planned stays planned.
      this.#turnBytes = 1;
      this.flush();
    }
    if (!planned) this.context.tasks.later(this.#turnOver);
  }

  readonly #turnOver = (): void => {
    this.#turnBytes = 0;
    this.flush();
  };

  readonly #plannedFlush = (): void => {
    this.#flushPlanned = false;
    this.flush();
  };

  /** A session has ended. */
  left(session: Session, reason: ClosedReason, subscriptionList: readonly SubscriptionRecord[]): void {
    if (this.sessions.delete(session.id)) {
      addTraffic(this.#past, session.traffic);
      addTraffic(session.account.past, session.traffic);
    }
    if (this.context.limits.maxClosedClients > 0) {
      const stoppedAt = this.context.clock.now();
      const subscriptions = subscriptionList.length;
      const record = session.record();
      // What waits is still sent, unless nobody reads it.
      const pending = reason.startsWith("Slow Consumer") ? record.pending : 0;
      this.closed.add({ ...record, pending, stoppedAt, reason, subscriptions, subscriptionList });
    }
    this.observer?.left(session, reason);
    const { logger } = this.context;
    if (logger.debugOn) logger.debug(`${session.label} - Client connection closed: ${reason}`);
  }
}
