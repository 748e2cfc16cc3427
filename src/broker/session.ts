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
  subscriptionViolation,
  tooManyTokens,
} from "../protocol/faults.ts";
import type { ServerInfo } from "../protocol/info.ts";
import { Message } from "../protocol/message.ts";
import type { Slab } from "../protocol/slab.ts";
import { noRespondersHeaders } from "../protocol/status.ts";
import { isLiteralSubject, isValidSubject } from "../protocol/subject.ts";
import { EMPTY } from "../protocol/text.ts";
import type { ClientVerbs, FaultSink, ServerVerbs, Sid } from "../protocol/verbs.ts";
import type { Timer } from "../seams/clock.ts";
import type { TlsFacts } from "../seams/tls.ts";
import {
  type Account,
  isReservedReply,
  mayBeReserved,
  RESERVED_SUBJECT,
  SERVICE_SUBJECT,
} from "./account.ts";
import type { Admission, ConnectionType } from "./authenticator.ts";
import type { Broker } from "./broker.ts";
import type { ConnectionRecord, SubscriptionRecord } from "./connection-record.ts";
import { clientLabel, userLabel } from "./labels.ts";
import { type Permissions, ReplyPermits } from "./permissions.ts";
import { ProtocolTrace } from "./protocol-trace.ts";
import { Subscription } from "./subscription.ts";
import { type MessageTrace, NOT_DELIVERED } from "./trace/message-trace.ts";
import { startTrace } from "./trace/start.ts";
import { mayBeTraced } from "./trace/trace-headers.ts";
import type { Traffic } from "./traffic.ts";

/** The other end of a session, whatever lies between. */
export interface SessionPeer extends ServerVerbs {
  /** Whether the client takes headers; said after every `CONNECT`. */
  headers: boolean;
  /** What was said may go out now, and user code in this process may run. */
  flush(): void;
  /** The session has ended: send what is still to be sent, if there is a point in it, and close. */
  close(reason: ClosedReason): void;
  /** Whether so much waits for the client that those who write to it should be held back. */
  readonly behind: boolean;
  /** Whether more than three quarters of what may wait for the client does. */
  readonly stalled: boolean;
  /** Whether the session takes nothing of what the client says for now: who it is takes time to decide. */
  suspend(suspended: boolean): void;
  /** Bytes that wait for the client. */
  readonly pending: number;
  /** The way to the client and back, in ms; 0 while it is not known. */
  readonly rtt: number;
}

/** What a session is made with. */
export interface SessionOptions {
  /** Where the client is, for INFO and logs; "" for one in this process. */
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly slab: Slab;
  /** The way that the client came in. */
  readonly type: ConnectionType;
  /** What stands for fields that `CONNECT` leaves out. */
  readonly credentials?: Partial<ConnectOptions>;
  /** Who is behind a proxy, as that says; for logs. */
  readonly forwardedFor?: string;
  /** The account, for a session of the server's own; it is no connection. */
  readonly internal?: Account;
}

/** The queue name that nats-server keeps for itself. */
const SYSTEM_QUEUE = "_sys_";

/**
 * One connection, as the server sees it: it takes what the client says ({@link ClientVerbs}), and routes its messages to the
 * peers of other sessions. It knows nothing of sockets.
 */
export class Session implements ClientVerbs, FaultSink {
  /** The connection's number, from 1: `client_id` of INFO, `cid` of monitoring. */
  readonly id: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly type: ConnectionType;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Bytes of a message's headers and payload. */
  maxPayload = 0;
  /** When it was last at work: it has published, changed its subscriptions, or got a message. Milliseconds since the epoch. */
  lastActivity: number;
  readonly traffic: Traffic = { inMsgs: 0, inBytes: 0, outMsgs: 0, outBytes: 0 };
  /** How often it was held back because a receiver was behind. */
  stalls = 0;
  /** What the TLS handshake has settled; undefined before that, and without TLS. */
  tls: TlsFacts | undefined;
  /** Whether that handshake came before INFO. */
  tlsFirst = false;
  /** Who is behind a proxy, as that says. */
  readonly forwardedFor: string | undefined;
  readonly #credentials: Partial<ConnectOptions> | undefined;
  readonly #broker: Broker;
  readonly #peer: SessionPeer;
  readonly #subscriptions = new Map<Sid, Subscription>();
  readonly #answer: Message;
  /** Whether this is the server's own voice, not a connection. */
  readonly #internal: boolean;
  /** Logs the protocol's lines; undefined when nobody wants that. */
  #trace: ProtocolTrace | undefined;
  #account: Account;
  #options: ConnectOptions = { ...CONNECT_DEFAULTS };
  #admission: Admission | undefined;
  #authTimer: Timer | undefined;
  #label: string;
  #connected = false;
  #ponged = false;
  #closed = false;
  /** What the client says is not taken: it has ended, or has not been let in. */
  #mute = false;
  #maxSubscriptions = 0;
  /** Whether its messages are dropped for receivers that are far behind, instead of holding it back. */
  #skipsStalled = false;
  #touched = false;
  /** How many messages had been sent to it at the last flush. */
  #flushedMsgs = 0;
  #heldBy: SessionPeer | undefined;
  // Copies of options that every message asks for.
  #verbose: boolean = CONNECT_DEFAULTS.verbose;
  #pedantic: boolean = CONNECT_DEFAULTS.pedantic;
  #echo: boolean = CONNECT_DEFAULTS.echo;
  #noResponders: boolean = CONNECT_DEFAULTS.no_responders;
  /** Undefined where there is nothing to check: what the client may do, what must be kept from it, what it may answer. */
  #permissions: Permissions | undefined;
  #filter: Permissions | undefined;
  #replies: ReplyPermits | undefined;

  constructor(broker: Broker, peer: SessionPeer, options: SessionOptions) {
    this.#broker = broker;
    this.#peer = peer;
    this.remoteHost = options.remoteHost;
    this.remotePort = options.remotePort;
    this.type = options.type;
    this.forwardedFor = options.forwardedFor;
    this.#credentials = options.credentials;
    this.id = options.internal === undefined ? broker.nextClientId() : 0;
    this.startedAt = broker.context.clock.now();
    this.lastActivity = this.startedAt;
    this.#answer = new Message(options.slab);
    this.#account = options.internal ?? broker.globalAccount;
    if (options.internal !== undefined) this.#verbose = this.#pedantic = false;
    this.#label = clientLabel(this);
    this.#internal = options.internal !== undefined;
    const { on, verbose } = broker.context.trace;
    if (on && (verbose || !this.#internal)) this.trace(true);
  }

  /** Begins or ends to log what the client and the server say to each other. */
  trace(on: boolean): void {
    if (on === (this.#trace !== undefined)) return;
    this.#trace?.detach();
    this.#trace = undefined;
    if (!on) return;
    const { trace: rules, logger } = this.#broker.context;
    const log = (line: string): void => logger.trace(line);
    const label = (): string => (this.#internal ? "SYSTEM" : this.#label);
    this.#trace = new ProtocolTrace({ rules, label, log });
    this.#trace.attach(this, this.#internal ? undefined : this.#peer);
  }

  /**
   * The client becomes one of the server's connections, or is refused.
   * @param greet - whether INFO comes now, or by {@link greet}.
   * @param speaks - whether the client may speak now, or from {@link expectConnect} on.
   */
  open(greet = true, speaks = true): void {
    const { limits, logger } = this.#broker.context;
    logger.debug(`${this.#label} - Client connection created`);
    const { authenticator } = this.#broker;
    this.#mute = authenticator?.asks(this.type) === true;
    this.#applyLimits();
    this.#touch();
    if (greet) this.greet();
    if (this.#broker.sessions.size >= limits.maxConnections) {
      this.fault(FAULTS.maxConnections, "maximum connections exceeded");
      return;
    }
    this.#broker.sessions.set(this.id, this);
    this.#account.sessions.add(this);
    if (speaks) this.expectConnect();
  }

  /** The client may speak from now on: if it must say who it is, it has so much time for that. */
  expectConnect(): void {
    const { authenticator } = this.#broker;
    if (!this.#mute || authenticator === undefined) return;
    this.#authTimer = this.#broker.context.clock.after(authenticator.timeout, () => {
      this.fault(FAULTS.authenticationTimeout, "Authentication Timeout");
      this.#broker.flush();
    });
  }

  /** Says INFO for the first time. @param extra - what it says beyond the usual. */
  greet(extra?: Partial<ServerInfo>): void {
    this.#touch();
    this.#peer.info(extra === undefined ? this.#info() : { ...this.#info(), ...extra });
  }

  /** The account the connection is in. */
  get account(): Account {
    return this.#account;
  }

  /** Whether `CONNECT` has come. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Whether the session has ended. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How many subscriptions the connection has. */
  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  /** What `CONNECT` said, with nats-server's defaults for the rest. */
  get options(): Readonly<ConnectOptions> {
    return this.#options;
  }

  /** The user that the client is; undefined where clients have none. */
  get user(): string | undefined {
    return this.#admission?.user;
  }

  /** What the user may do; undefined for everything. */
  get permissions(): Permissions | undefined {
    return this.#permissions;
  }

  /** Whether the client has still to say who it is. */
  get awaitsConnect(): boolean {
    return this.#mute && !this.#closed && !this.#connected;
  }

  /** How log lines name the connection: as nats-server does. */
  get label(): string {
    return this.#label;
  }

  /** The receiver that is behind with what this session has sent it, if any still is. */
  get heldBy(): SessionPeer | undefined {
    if (this.#heldBy !== undefined && !this.#heldBy.behind) this.#heldBy = undefined;
    return this.#heldBy;
  }

  /** For the broker: what was said to the client may go out now. */
  flush(): void {
    this.#touched = false;
    if (this.traffic.outMsgs !== this.#flushedMsgs) {
      this.#flushedMsgs = this.traffic.outMsgs;
      this.lastActivity = this.#broker.turnTime();
    }
    this.#peer.flush();
  }

  /** What is known of the connection now. */
  record(): ConnectionRecord {
    const { name, lang, version } = this.#options;
    return {
      id: this.id,
      kind: this.type === "WEBSOCKET" ? "websocket" : "nats",
      host: this.remoteHost,
      port: this.remotePort,
      startedAt: this.startedAt,
      lastActivity: this.lastActivity,
      rtt: this.#peer.rtt,
      pending: this.#peer.pending,
      traffic: { ...this.traffic },
      stalls: this.stalls,
      subscriptions: this.#subscriptions.size,
      name,
      lang,
      version,
      user: shownUser(this.#options, this.#admission),
      account: this.#account.name,
      tls: this.tls,
      tlsFirst: this.tlsFirst,
    };
  }

  /** Its subscriptions, as they are now. */
  subscriptionRecords(): SubscriptionRecord[] {
    return [...this.#subscriptions.values()].map((subscription) => subscription.record());
  }

  #touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    this.#broker.touch(this);
  }

  #info(): ServerInfo {
    return this.#ownInfo(this.#broker.context.info());
  }

  #ownInfo(info: ServerInfo): ServerInfo {
    const own: ServerInfo = { ...info, client_id: this.id, max_payload: this.maxPayload };
    if (this.remoteHost !== "") own.client_ip = this.remoteHost;
    const { adaptInfo } = this.#broker.context;
    return adaptInfo === undefined ? own : adaptInfo(own, this.type);
  }

  // Who the client is.

  connect(given: Partial<ConnectOptions>): void {
    if (this.#closed) return;
    this.#authTimer?.cancel();
    const again = this.#connected;
    // A second CONNECT begins anew, with the fields of the first as defaults (nats-server client.go processConnect).
    if (again) this.#dropSubscriptions();
    this.#connected = true;
    this.lastActivity = this.#broker.turnTime();
    const options = withCredentials({ ...this.#options, ...given }, this.#credentials);
    this.#options = options;
    this.#peer.headers = options.headers && this.#broker.context.info().headers;
    const { authenticator } = this.#broker;
    if (authenticator === undefined || !authenticator.asks(this.type)) {
      this.#begin(again);
      return;
    }
    this.#mute = true;
    const verdict = authenticator.admit({ options, type: this.type });
    if (verdict instanceof Promise) {
      this.#peer.suspend(true);
      void verdict.then((admission) => this.#decided(admission, again));
    } else if (this.#admit(verdict)) {
      this.#begin(again);
    }
  }

  /** The verdict has come that took time. */
  #decided(admission: Admission | undefined, again: boolean): void {
    if (this.#closed) return;
    if (this.#admit(admission)) this.#begin(again);
    this.#peer.suspend(false);
    this.#broker.flush();
  }

  /** Puts the client where it belongs, or refuses it. */
  #admit(admission: Admission | undefined): boolean {
    if (admission === undefined) {
      this.#refuse();
      return false;
    }
    const { account } = admission;
    if (account !== this.#account) {
      this.#account.sessions.delete(this);
      this.#account = account;
    }
    const { maxConnections } = account.limits;
    if (maxConnections >= 0 && !account.sessions.has(this) && account.sessions.size >= maxConnections) {
      this.fault(FAULTS.maxAccountConnections, "maximum account active connections exceeded");
      return false;
    }
    account.sessions.add(this);
    this.#admission = admission;
    this.#mute = false;
    this.#permit(admission.permissions);
    this.#applyLimits();
    return true;
  }

  #permit(permissions: Permissions | undefined): void {
    this.#permissions = permissions;
    const responses = permissions?.rules.responses;
    this.#replies =
      responses === undefined ? undefined : new ReplyPermits(responses, this.#broker.context.clock);
    this.#filter = undefined;
  }

  /** The client is in: the rest of `CONNECT` holds. */
  #begin(again: boolean): void {
    const options = this.#options;
    this.#verbose = options.verbose;
    this.#pedantic = options.pedantic;
    this.#echo = options.echo;
    this.#noResponders = options.no_responders;
    this.#broker.observer?.entered(this);
    if (!again)
      this.#label = clientLabel(this, userLabel(this.#options, this.#account.name, this.#admission));
    if (options.account !== "" || options.new_account) {
      this.#refuse();
    } else if (options.protocol < 0 || options.protocol > 1) {
      this.fault(FAULTS.clientProtocol, "invalid client protocol");
    } else if (options.no_responders && !this.#peer.headers) {
      this.fault(FAULTS.noRespondersNeedsHeaders, "no responders requires headers support");
    } else {
      this.#ok();
    }
  }

  #refuse(): void {
    this.#broker.observer?.refused(this);
    const { user, nkey, auth_token: token } = this.#options;
    const who = nkey !== "" ? ` - Nkey ${quote(nkey)}` : user !== "" ? ` - User ${quote(user)}` : "";
    this.fault(
      FAULTS.authorization,
      `authentication error${who === "" && token !== "" ? ' - Token "[REDACTED]"' : who}`,
    );
  }

  /**
   * The client says something although it has not been let in. Where there is a user for clients without a name, it is that one;
   * else it goes. Returns whether it is in.
   */
  enterUnnamed(): boolean {
    if (this.#closed) return false;
    const admission = this.#connected ? undefined : this.#broker.authenticator?.admitUnnamed(this.type);
    this.#authTimer?.cancel();
    this.#connected = true;
    return this.#admit(admission);
  }

  /** The rules have changed: the client stays as what it is now, or goes; so do subscriptions that it may not have any more. */
  reconsider(): void {
    const { authenticator } = this.#broker;
    this.#applyLimits();
    if (this.#closed || this.#mute) return;
    if (authenticator === undefined || !authenticator.asks(this.type)) {
      this.#admission = undefined;
      this.#permit(undefined);
      if (this.#account !== this.#broker.globalAccount) this.#refuse();
      return;
    }
    const before = this.#admission;
    const admission =
      before === undefined
        ? undefined
        : authenticator.admitAgain({ options: this.#options, type: this.type }, before);
    // A client cannot move to another account with its subscriptions.
    if (admission === undefined || admission.account !== this.#account) {
      this.#refuse();
      return;
    }
    this.#admission = admission;
    this.#permit(admission.permissions);
    for (const subscription of this.#subscriptions.values()) this.#reconsiderSubscription(subscription);
  }

  #reconsiderSubscription(subscription: Subscription): void {
    const { subject, queue, sid } = subscription;
    const permissions = this.#permissions;
    if (permissions === undefined) return;
    if (permissions.maySubscribe(subject, queue)) {
      if (permissions.filters(subject, queue)) this.#filter = permissions;
      return;
    }
    this.#drop(subscription);
    this.#say(lostSubscription(subject, queue, String(sid)));
    this.#broker.context.logger.notice(
      `${this.#label} - Removed sub ${quote(subject)}${queue === undefined ? "" : ` using queue ${quote(queue)}`} (sid ${quote(String(sid))}) for account ${quote(this.#account.name)} - not authorized`,
    );
  }

  /** Limits are those of the server, or the account's where they are less. */
  #applyLimits(): void {
    const { maxPayload, maxSubscriptions, noFastProducerStall } = this.#broker.context.limits;
    this.#skipsStalled = noFastProducerStall;
    const own = this.#account.limits;
    this.maxPayload = own.maxPayload >= 0 ? Math.min(maxPayload, own.maxPayload) : maxPayload;
    const least = Math.min(
      maxSubscriptions || Infinity,
      own.maxSubscriptions >= 0 ? own.maxSubscriptions : Infinity,
    );
    this.#maxSubscriptions = least;
  }

  /** Something has changed that INFO tells: says it to a client that takes INFO at any time; returns whether this is one. */
  informAgain(info: ServerInfo): boolean {
    if (this.#closed || !this.#ponged || this.#options.protocol < 1) return false;
    this.#peer.info(this.#ownInfo(info));
    this.#touch();
    return true;
  }

  // What the client says.

  sub(subject: string, queue: string | undefined, sid: Sid): void {
    if (this.#mute && !this.enterUnnamed()) return;
    const permissions = this.#permissions;
    if (queue === SYSTEM_QUEUE || (permissions !== undefined && !permissions.maySubscribe(subject, queue))) {
      const group = queue === undefined ? "" : `, Queue: ${quote(queue)}`;
      this.fault(
        subscriptionViolation(subject, queue),
        `Subscription Violation - Subject ${quote(subject)}${group}, SID ${sid}`,
      );
      return;
    }
    const { maxSubTokens } = this.#broker.context.limits;
    if (maxSubTokens > 0 && subject.split(".").length > maxSubTokens) {
      this.fault(
        tooManyTokens(subject),
        `Subscription Violation Too Many Tokens - Subject ${quote(subject)}, SID ${sid}`,
      );
      return;
    }
    if (this.#subscriptions.size >= this.#maxSubscriptions) {
      this.fault(FAULTS.maxSubscriptions, "maximum subscriptions exceeded");
      return;
    }
    // The first of two with one id stays, without a word.
    if (!this.#subscriptions.has(sid)) {
      if (!isValidSubject(subject)) {
        this.fault(FAULTS.invalidSubject, `invalid subject "${subject}"`);
        return;
      }
      if (permissions?.filters(subject, queue) === true) this.#filter = permissions;
      const subscription = new Subscription(this, subject, queue, sid);
      this.#subscriptions.set(sid, subscription);
      this.#account.router.insert(subscription);
    }
    this.#ok();
  }

  unsub(sid: Sid, max: number | undefined): void {
    if (this.#mute && !this.enterUnnamed()) return;
    const subscription = this.#subscriptions.get(sid);
    if (subscription !== undefined) {
      if (max !== undefined && max > subscription.delivered) subscription.max = max;
      else this.#drop(subscription);
    }
    this.#ok();
  }

  ping(): void {
    if (this.#mute && !this.enterUnnamed()) return;
    this.#touch();
    this.#peer.pong();
    if (!this.#connected || this.#ponged) return;
    this.#ponged = true;
    if (this.#options.protocol < 1) return;
    const info = this.#info();
    info.connect_info = true;
    info.remote_account = this.#account.name;
    if (this.#account.isSystem) info.acc_is_sys = true;
    this.#peer.info(info);
  }

  /** What a `PONG` means is between the two ends of the wire: the connection that has one sees to it. */
  pong(): void {}

  pub(message: Message): void {
    if (this.#mute && !this.enterUnnamed()) return;
    const { router, mappings } = this.#account;
    let msgTrace: MessageTrace | undefined;
    if (message.hasHeaders && this.id !== 0 && mayBeTraced(message, this.#account.trace !== undefined)) {
      const verdict = startTrace(message, this, this.#broker.context, this.#permissions);
      if (verdict === "dropped") return;
      if (verdict !== "untraced") msgTrace = verdict;
    }
    const traffic = this.traffic;
    traffic.inMsgs += 1;
    traffic.inBytes += message.size;
    // Pedantic is about what the client said; all else about where the message goes.
    if (mappings !== undefined && this.id !== 0) {
      if (this.#pedantic && !isLiteralSubject(message.subjectText)) this.#say(FAULTS.invalidPublishSubject);
      const published = this.#trace === undefined ? "" : message.subjectText;
      const mapped = mappings.apply(message);
      if (mapped !== undefined) {
        this.#trace?.mapped(published, mapped);
        msgTrace?.mapped(mapped);
      }
    }
    const onWire = message.onWire;
    const route = onWire ? router.findWire(message) : router.find(message.subject);
    message.subject = route.subject;
    if (mappings === undefined && this.#pedantic && !isLiteralSubject(route.subject))
      this.#say(FAULTS.invalidPublishSubject);
    const permissions = this.#permissions;
    if (
      route.flags & RESERVED_SUBJECT ||
      (permissions !== undefined && !permissions.mayPublish(route.subject) && !this.#mayAnswer(route.subject))
    ) {
      this.#violation(
        publishViolation(route.subject),
        `Publish Violation - Subject ${quote(route.subject)}`,
        msgTrace,
      );
      return;
    }
    if (message.hasReply && this.#replyIsReserved(message)) {
      this.#violation(
        replyViolation(message.reply),
        `Publish Violation - Reply ${quote(message.reply)}`,
        msgTrace,
      );
      return;
    }
    if (this.#verbose) this.#ok();
    const { plain, groups } = route;
    const shared = plain.length + groups.length > 1;
    let delivered =
      (route.flags & SERVICE_SUBJECT) !== 0 && this.#broker.services?.request(this, message) === true;
    for (let i = 0; i < plain.length; i++)
      if (this.#deliver(plain[i], message, shared, msgTrace)) delivered = true;
    for (let i = 0; i < groups.length; i++)
      if (this.#deliverToOne(groups[i], message, shared, msgTrace)) delivered = true;
    if (!delivered && message.hasReply && this.#noResponders) this.#sayNoResponders(message);
    if (msgTrace !== undefined) this.#broker.tracer?.traced(msgTrace);
  }

  /** The message is not let in. */
  #violation(fault: ProtocolFault, detail: string, trace: MessageTrace | undefined): void {
    this.fault(fault, detail);
    if (trace === undefined) return;
    trace.refused(fault.text);
    this.#broker.tracer?.traced(trace);
  }

  #mayAnswer(subject: string): boolean {
    return this.#replies?.take(subject) === true;
  }

  #replyIsReserved(message: Message): boolean {
    if (message.onWire) {
      const { bytes, replyStart } = message;
      if (!mayBeReserved(bytes[replyStart], bytes[replyStart + 1])) return false;
    } else {
      const { reply } = message;
      if (!mayBeReserved(reply.charCodeAt(0), reply.charCodeAt(1))) return false;
    }
    return isReservedReply(message.reply);
  }

  /** One member of a queue group gets the message: a random one, or the next that can take it. */
  #deliverToOne(
    group: Subscription[],
    message: Message,
    shared: boolean,
    trace: MessageTrace | undefined,
  ): boolean {
    const count = group.length;
    let at = count === 1 ? 0 : Math.floor(this.#broker.context.random.fraction() * count);
    for (let i = 0; i < count; i++) {
      if (this.#deliver(group[at], message, shared, trace)) return true;
      at = at + 1 === count ? 0 : at + 1;
    }
    return false;
  }

  #deliver(to: Subscription, message: Message, shared: boolean, trace: MessageTrace | undefined): boolean {
    const { session } = to;
    const refusal = this.#refusal(to, message);
    if (trace !== undefined) {
      // Whether the consumer is slow does not matter to a message that is not sent.
      const kept = trace.only && refusal === NOT_DELIVERED.notStalled ? undefined : refusal;
      trace.egress(to, kept);
      if (trace.only) return kept === undefined;
    }
    if (refusal !== undefined) return false;
    const peer = session.#peer;
    to.delivered += 1;
    if (to.max > 0 && to.delivered >= to.max) {
      // The last one it wants is delivered after it is taken out, so that a message that this causes does not find it.
      session.#drop(to);
    }
    session.#send(to, message, shared);
    if (session.#replies !== undefined && message.hasReply) session.#grantReply(message.reply);
    if (peer.behind) this.#heldBy = peer;
    return true;
  }

  /** Why a subscription is not to get a message, if there is a reason. */
  #refusal(to: Subscription, message: Message): string | undefined {
    if (to.closed) return NOT_DELIVERED.closed;
    const { session } = to;
    if (session === this && !this.#echo) return NOT_DELIVERED.noEcho;
    if (session.#filter?.deniesDelivery(message.subject, to.queue) === true) return NOT_DELIVERED.denied;
    if (this.#skipsStalled && session.#peer.stalled) return NOT_DELIVERED.notStalled;
    return undefined;
  }

  /** A request has been delivered: the client may answer it, if it could not anyway. */
  #grantReply(reply: string): void {
    if (!this.#permissions!.mayPublish(reply)) this.#replies!.grant(reply);
  }

  #send(to: Subscription, message: Message, shared: boolean): void {
    const traffic = this.traffic;
    traffic.outMsgs += 1;
    const peer = this.#peer;
    traffic.outBytes +=
      message.hasHeaders && !peer.headers ? message.size - message.headerSize : message.size;
    peer.msg(to, message, shared);
    if (!this.#touched) this.#touch();
  }

  /** Answers a request that nobody got, to the requestor's own subscription for the reply (behaviour.md A.9). */
  #sayNoResponders(request: Message): void {
    const reply = request.reply;
    for (const subscription of this.#account.router.find(reply).plain) {
      if (subscription.session !== this || subscription.closed) continue;
      this.#answer.setValue(reply, undefined, noRespondersHeaders(request.subject), EMPTY);
      this.#peer.msg(subscription, this.#answer, false);
      this.#touch();
      return;
    }
  }

  #ok(): void {
    if (!this.#verbose) return;
    this.#peer.ok();
    this.#touch();
  }

  #say(fault: ProtocolFault): void {
    if (fault.text === undefined) return;
    this.#peer.err(fault.text);
    this.#touch();
  }

  fault(fault: ProtocolFault, detail: string, message?: Message): void {
    if (this.#closed) return;
    if (message !== undefined && !this.#mute) this.#traceTooLarge(message);
    this.#broker.context.logger.error(`${this.label} - ${detail}`);
    this.dismiss(fault);
  }

  /** A message that is too large ends the connection; if it asks for a trace, there is one. */
  #traceTooLarge(message: Message): void {
    if (!message.hasHeaders || !mayBeTraced(message, this.#account.trace !== undefined)) return;
    const verdict = startTrace(message, this, this.#broker.context, this.#permissions);
    if (verdict === "dropped" || verdict === "untraced") return;
    verdict.refused("maximum payload exceeded");
    this.#broker.tracer?.traced(verdict);
  }

  /** The same as {@link fault}, without a word in the log. */
  dismiss(fault: ProtocolFault): void {
    if (this.#closed) return;
    this.#say(fault);
    if (fault.close !== undefined) this.close(fault.close);
  }

  // The end.

  /** Ends the session, once. */
  close(reason: ClosedReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#mute = true;
    this.#authTimer?.cancel();
    const subscriptions = this.subscriptionRecords();
    this.#dropSubscriptions();
    this.#account.sessions.delete(this);
    this.#broker.left(this, reason, subscriptions);
    this.#peer.close(reason);
  }

  #dropSubscriptions(): void {
    for (const subscription of this.#subscriptions.values()) this.#drop(subscription);
    assert(this.#subscriptions.size === 0, "a session without subscriptions has none");
  }

  #drop(subscription: Subscription): void {
    this.#trace?.dropped(subscription.sid);
    subscription.closed = true;
    this.#subscriptions.delete(subscription.sid);
    this.#account.router.remove(subscription);
  }
}

/** Whom a client says it is, as nats-server's monitoring shows it: never a secret. */
function shownUser(options: Readonly<ConnectOptions>, admission: Admission | undefined): string {
  const { nkey, user, auth_token } = options;
  return nkey || user || admission?.user || (auth_token === "" ? "" : "[REDACTED]");
}

/** Fills in what `CONNECT` leaves out (nats-server `processConnect`). */
function withCredentials(
  options: ConnectOptions,
  credentials: Partial<ConnectOptions> | undefined,
): ConnectOptions {
  if (credentials === undefined) return options;
  return {
    ...options,
    user: options.user || (credentials.user ?? ""),
    pass: options.pass || (credentials.pass ?? ""),
    auth_token: options.auth_token || (credentials.auth_token ?? ""),
  };
}
