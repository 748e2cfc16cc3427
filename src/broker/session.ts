import { assert } from "../protocol/assert.ts";
import type { ClosedReason } from "../protocol/closed-reason.ts";
import { CONNECT_DEFAULTS, type ConnectOptions } from "../protocol/connect-options.ts";
import {
  FAULTS,
  lostSubscription,
  type ProtocolFault,
  publishViolation,
  quote,
  replyViolation,
} from "../protocol/faults.ts";
import type { ServerInfo } from "../protocol/info.ts";
import type { Message } from "../protocol/message.ts";
import { isLiteralSubject } from "../protocol/subject.ts";
import type { ClientVerbs, FaultSink, Sid } from "../protocol/verbs.ts";
import type { TlsFacts } from "../seams/tls.ts";
import { type Account, API_PREFIX, hasReservedReply, RESERVED_SUBJECT, SERVICE_SUBJECT } from "./account.ts";
import type { ConnectionType } from "./authenticator.ts";
import type { Broker } from "./broker.ts";
import { infoFor, infoOnceIn } from "./client-info.ts";
import { type ConnectionRecord, recordOf, type SubscriptionRecord } from "./connection-record.ts";
import { Login } from "./login.ts";
import type { AccountMappings } from "./mappings.ts";
import { type Permissions, replyPermits } from "./permissions.ts";
import { ProtocolTrace } from "./protocol-trace.ts";
import { Receiver } from "./receiver.ts";
import type { SessionOptions } from "./session-options.ts";
import type { SessionPeer } from "./session-peer.ts";
import { SessionSubscriptions } from "./session-subscriptions.ts";
import type { Subscription } from "./subscription.ts";
import type { MessageTrace } from "./trace/message-trace.ts";
import { startTrace, traceRefused } from "./trace/start.ts";
import { mayBeTraced } from "./trace/trace-headers.ts";

/**
 * One connection, as the server sees it: it takes what the client says ({@link ClientVerbs}), and routes its messages to the
 * other sessions ({@link Receiver}). It knows nothing of sockets.
 */
export class Session extends Receiver implements ClientVerbs, FaultSink {
  /** The connection's number, from 1: `client_id` of INFO, `cid` of monitoring. */
  readonly id: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly type: ConnectionType;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Bytes of a message's headers and payload. */
  maxPayload = 0;
  /** How often it was held back because a receiver was behind. */
  stalls = 0;
  /** What the TLS handshake has settled; undefined before that, and without TLS. */
  tls: TlsFacts | undefined;
  /** Whether that handshake came before INFO. */
  tlsFirst = false;
  /** Who is behind a proxy, as that says. */
  readonly forwardedFor: string | undefined;
  /** How the client got in, and as whom. */
  readonly login: Login;
  readonly #subscriptions = new SessionSubscriptions(this);
  /** Whether this is the server's own voice, not a connection. */
  readonly #internal: boolean;
  /** Logs the protocol's lines; undefined when nobody wants that. */
  #trace: ProtocolTrace | undefined;
  #account: Account;
  #ponged = false;
  #closed = false;
  /** What the client says is not taken: it has ended, or has not been let in. */
  #mute = false;
  // Copies of options that every message asks for.
  #pedantic: boolean = CONNECT_DEFAULTS.pedantic;
  #noResponders: boolean = CONNECT_DEFAULTS.no_responders;
  /** What the client may do; undefined where there is nothing to check. */
  #permissions: Permissions | undefined;
  /** Whether any of these three has a say in what it publishes. */
  #checked = true;

  constructor(broker: Broker, peer: SessionPeer, options: SessionOptions) {
    super(broker, peer, options.slab);
    this.remoteHost = options.remoteHost;
    this.remotePort = options.remotePort;
    this.type = options.type;
    this.forwardedFor = options.forwardedFor;
    this.id = options.internal === undefined ? broker.nextClientId() : 0;
    this.startedAt = this.lastActivity;
    this.#account = options.internal ?? broker.globalAccount;
    if (options.internal !== undefined) this.verbose = this.#pedantic = this.#checked = false;
    this.#internal = options.internal !== undefined;
    this.login = new Login(broker, this, peer, options.credentials);
    const { on, verbose } = broker.context.trace;
    if (on && (verbose || !this.#internal)) this.trace(true);
  }

  /** Begins or ends to log what the client and the server say to each other. */
  trace(on: boolean): void {
    if (on === (this.#trace !== undefined)) return;
    this.#trace?.detach();
    this.#trace = undefined;
    if (!on) return;
    const { trace: rules, logger } = this.broker.context;
    const log = (line: string): void => logger.trace(line);
    const label = (): string => (this.#internal ? "SYSTEM" : this.label);
    this.#trace = new ProtocolTrace({ rules, label, log });
    this.#trace.attach(this, this.#internal ? undefined : this.peer);
  }

  /**
   * The client becomes one of the server's connections, or is refused.
   * @param greet - whether INFO comes now, or by {@link greet}.
   * @param speaks - whether the client may speak now, or from {@link expectConnect} on.
   */
  open(greet = true, speaks = true): void {
    const { limits, logger } = this.broker.context;
    if (logger.debugOn) logger.debug(`${this.label} - Client connection created`);
    this.#mute = this.login.asked;
    this.#applyLimits();
    this.touch();
    if (greet) this.greet();
    if (this.broker.sessions.size >= limits.maxConnections) {
      this.fault(FAULTS.maxConnections, "maximum connections exceeded");
      return;
    }
    this.broker.sessions.set(this.id, this);
    this.#account.sessions.add(this);
    if (speaks && this.#mute) this.login.begin();
  }

  /** The client may speak from now on: if it must say who it is, it has so much time for that. */
  expectConnect(): void {
    if (this.#mute) this.login.begin();
  }

  /** Says INFO for the first time. @param extra - what it says beyond the usual. */
  greet(extra?: Partial<ServerInfo>): void {
    this.touch();
    const info = infoFor(this, this.broker.context);
    if (this.broker.authenticator?.omitsAuthRequired(this.type) === true) info.auth_required = undefined;
    this.peer.info({ ...info, ...extra });
  }

  /** The account the connection is in. */
  get account(): Account {
    return this.#account;
  }

  /** Whether the session has ended. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How many subscriptions the connection has. */
  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  /** What the user may do; undefined for everything. */
  get permissions(): Permissions | undefined {
    return this.#permissions;
  }

  /** Whether the client has still to say who it is. */
  get awaitsConnect(): boolean {
    return this.#mute && !this.#closed && !this.login.connected;
  }

  /** How log lines name the connection: as nats-server does. */
  get label(): string {
    return this.login.label;
  }

  /** What is known of the connection now. */
  record(): ConnectionRecord {
    return recordOf(this, this.peer);
  }

  /** Its subscriptions, as they are now. */
  subscriptionRecords(): SubscriptionRecord[] {
    return Array.from(this.#subscriptions.all(), (subscription) => subscription.record());
  }

  // Who the client is.

  connect(given: Partial<ConnectOptions>): void {
    if (this.#closed) return;
    this.lastActivity = this.broker.turnTime();
    this.login.connect(given);
  }

  /** The client says something before it has been let in: see {@link Login.enterUnnamed}. Returns whether it is in. */
  enterUnnamed(): boolean {
    return !this.#closed && this.login.enterUnnamed();
  }

  /** For the login: takes nothing of what the client says, until {@link admit}. */
  mute(): void {
    this.#mute = true;
  }

  /** For the login: the client belongs to that account. */
  join(account: Account): void {
    if (account === this.#account) return;
    this.#account.sessions.delete(this);
    this.#account = account;
  }

  /** For the login: the client is in. */
  admit(permissions: Permissions | undefined): void {
    this.#mute = false;
    this.permit(permissions);
    this.#applyLimits();
  }

  /** For the login: what the client may do; undefined for everything. */
  permit(permissions: Permissions | undefined): void {
    this.#permissions = permissions;
    this.#decideChecked();
    this.replies = permissions && replyPermits(permissions, this.broker.context.clock);
    this.filter = undefined;
  }

  /** For the login: what `CONNECT` asked for holds from now on. */
  begin(options: Readonly<ConnectOptions>): void {
    this.verbose = options.verbose;
    this.#pedantic = options.pedantic;
    this.#decideChecked();
    this.echo = options.echo;
    this.#noResponders = options.no_responders;
    if (this.verbose) this.ok();
  }

  #decideChecked(): void {
    this.#checked = this.verbose || this.#pedantic || this.#permissions !== undefined;
  }

  /** The rules have changed: the client stays as what it is now, or goes; so do subscriptions that it may not have any more. */
  reconsider(): void {
    this.#applyLimits();
    if (this.awaitsConnect && !this.login.asked) {
      // It need not say who it is any more.
      this.login.stop();
      this.#mute = false;
    }
    if (this.#closed || this.#mute) return;
    this.login.reconsider();
    if (this.#closed) return;
    for (const subscription of this.#subscriptions.all()) this.#reconsiderSubscription(subscription);
  }

  #reconsiderSubscription(subscription: Subscription): void {
    const { subject, queue, sid } = subscription;
    const permissions = this.#permissions;
    if (permissions === undefined) return;
    if (permissions.maySubscribe(subject, queue)) {
      if (permissions.filters(subject, queue)) this.filter = permissions;
      return;
    }
    this.drop(subscription);
    this.say(lostSubscription(subject, queue, String(sid)));
    this.broker.context.logger.notice(
      `${this.label} - Removed sub ${quote(subject)}${queue === undefined ? "" : ` using queue ${quote(queue)}`} (sid ${quote(String(sid))}) for account ${quote(this.#account.name)} - not authorized`,
    );
  }

  /** Limits are those of the server, or the account's where they are less. */
  #applyLimits(): void {
    const { limits } = this.broker.context;
    this.skipsStalled = limits.noFastProducerStall;
    this.maxPayload = this.#account.maxPayload(limits.maxPayload);
    this.#subscriptions.max = this.#account.maxSubscriptions(limits.maxSubscriptions);
  }

  /** Something has changed that INFO tells: says it to a client that takes INFO at any time; returns whether this is one. */
  informAgain(info: ServerInfo): boolean {
    if (this.#closed || !this.#ponged || this.login.options.protocol < 1) return false;
    this.peer.info(infoFor(this, this.broker.context, info));
    this.touch();
    return true;
  }

  // What the client says.

  sub(subject: string, queue: string | undefined, sid: Sid): void {
    if (this.#mute && !this.enterUnnamed()) return;
    const permissions = this.#permissions;
    const { maxSubTokens } = this.broker.context.limits;
    const refusal = this.#subscriptions.refusal(subject, queue, sid, permissions, maxSubTokens);
    if (refusal !== undefined) {
      this.fault(refusal.fault, refusal.detail);
      return;
    }
    // The first of two with one id stays, without a word.
    if (this.#subscriptions.get(sid) === undefined) {
      if (permissions?.filters(subject, queue) === true) this.filter = permissions;
      this.#subscriptions.add(subject, queue, sid);
    }
    if (this.verbose) this.ok();
  }

  /** For the server itself: subscribes to what may be forbidden to clients. */
  listen(subject: string, queue: string | undefined, sid: Sid): void {
    assert(this.#internal, "clients subscribe by `sub`");
    this.#subscriptions.add(subject, queue, sid);
  }

  unsub(sid: Sid, max: number | undefined): void {
    if (this.#mute && !this.enterUnnamed()) return;
    const subscription = this.#subscriptions.get(sid);
    if (subscription !== undefined) {
      if (max !== undefined && max > subscription.delivered) subscription.max = max;
      else this.drop(subscription);
    }
    this.ok();
  }

  ping(): void {
    if (this.#mute && !this.enterUnnamed()) return;
    this.touch();
    this.peer.pong();
    if (!this.login.connected || this.#ponged) return;
    this.#ponged = true;
    if (this.login.options.protocol >= 1) this.peer.info(infoOnceIn(this, this.broker.context));
  }

  /** What a `PONG` means is between the two ends of the wire: the connection that has one sees to it. */
  pong(): void {}

  /** What only few messages need is in methods of its own: what is left is small enough for the engine to make one piece of it. */
  pub(message: Message): void {
    if (this.#mute && !this.enterUnnamed()) return;
    const { router, mappings } = this.#account;
    const trace = message.hasHeaders && this.id !== 0 ? this.#startTrace(message) : undefined;
    if (trace === "dropped") return;
    const traffic = this.traffic;
    traffic.inMsgs += 1;
    traffic.inBytes += message.size;
    // Pedantic is about what the client said; all else about where the message goes.
    if (mappings !== undefined && this.id !== 0) this.#map(message, mappings, trace);
    const route = message.onWire ? router.findWire(message) : router.find(message.subject);
    message.subject = route.subject;
    const { flags, only } = route;
    if ((flags !== 0 || this.#checked || message.hasReply) && !this.#admits(message, flags, trace)) return;
    let delivered = (flags & SERVICE_SUBJECT) !== 0 && this.#request(route.subject, message);
    if (
      only === undefined
        ? this.deliverToAll(route, message, trace)
        : this.deliver(only, message, false, trace)
    )
      delivered = true;
    if (!delivered && message.hasReply && this.#noResponders) this.sayNoResponders(message, router);
    if (trace !== undefined) this.broker.tracer?.traced(trace);
  }

  /** The message may ask for a trace: "dropped" when it is then not to go any further. */
  #startTrace(message: Message): MessageTrace | "dropped" | undefined {
    if (!mayBeTraced(message, this.#account.trace !== undefined)) return undefined;
    const verdict = startTrace(message, this, this.broker.context, this.#permissions);
    return verdict === "untraced" ? undefined : verdict;
  }

  /** Whether a message on its subject, and with its reply, is let in; if not, the client has been told. @param flags - of its route. */
  #admits(message: Message, flags: number, trace: MessageTrace | undefined): boolean {
    const { subject } = message;
    if (this.#pedantic && this.#account.mappings === undefined && !isLiteralSubject(subject))
      this.say(FAULTS.invalidPublishSubject);
    const permissions = this.#permissions;
    if (
      flags & RESERVED_SUBJECT ||
      (permissions !== undefined && !permissions.mayPublish(subject) && this.replies?.take(subject) !== true)
    ) {
      this.#violation(publishViolation(subject), "Subject", subject, trace);
      return false;
    }
    if (message.hasReply && hasReservedReply(message) && !this.#internal) {
      this.#violation(replyViolation(message.reply), "Reply", message.reply, trace);
      return false;
    }
    if (this.verbose) this.ok();
    return true;
  }

  /** The account's mappings say where the message goes. */
  #map(message: Message, mappings: AccountMappings, msgTrace: MessageTrace | undefined): void {
    if (this.#pedantic && !isLiteralSubject(message.subjectText)) this.say(FAULTS.invalidPublishSubject);
    const published = this.#trace === undefined ? "" : message.subjectText;
    const mapped = mappings.apply(message);
    if (mapped === undefined) return;
    this.#trace?.mapped(published, mapped);
    msgTrace?.mapped(mapped);
  }

  /** The message may be a request to the server itself; returns whether it is one that is served. */
  #request(subject: string, message: Message): boolean {
    const { api, services } = this.broker;
    return (subject.startsWith(API_PREFIX) ? api : services)?.request(this, message) === true;
  }

  /** The message is not let in. */
  #violation(fault: ProtocolFault, of: string, subject: string, trace: MessageTrace | undefined): void {
    this.fault(fault, `Publish Violation - ${of} ${quote(subject)}`);
    if (trace === undefined) return;
    trace.refused(fault.text);
    this.broker.tracer?.traced(trace);
  }

  fault(fault: ProtocolFault, detail: string, message?: Message): void {
    if (this.#closed) return;
    // A message that is too large ends the connection; if it asks for a trace, there is one.
    if (message !== undefined && !this.#mute) {
      const trace = traceRefused(message, this, this.broker.context, "maximum payload exceeded");
      if (trace !== undefined) this.broker.tracer?.traced(trace);
    }
    this.broker.context.logger.error(`${this.label} - ${detail}`);
    this.dismiss(fault);
  }

  /** The same as {@link fault}, without a word in the log. */
  dismiss(fault: ProtocolFault): void {
    if (this.#closed) return;
    this.say(fault);
    if (fault.close !== undefined) this.close(fault.close);
  }

  // The end.

  /** Ends the session, once. */
  close(reason: ClosedReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#mute = true;
    this.login.stop();
    const subscriptions = this.subscriptionRecords();
    this.dropSubscriptions();
    this.#account.sessions.delete(this);
    this.broker.left(this, reason, subscriptions);
    this.peer.close(reason);
  }

  /** Ends all of the client's subscriptions. */
  dropSubscriptions(): void {
    for (const subscription of this.#subscriptions.all()) this.drop(subscription);
  }

  /** Ends a subscription of the client's. */
  drop(subscription: Subscription): void {
    this.#trace?.dropped(subscription.sid);
    this.#subscriptions.remove(subscription);
  }
}
