import { assert } from "../protocol/assert.ts";
import type { ClosedReason } from "../protocol/closed-reason.ts";
import { CONNECT_DEFAULTS, type ConnectOptions } from "../protocol/connect-options.ts";
import {
  FAULTS,
  type ProtocolFault,
  publishViolation,
  replyViolation,
  subscriptionViolation,
} from "../protocol/faults.ts";
import type { ServerInfo } from "../protocol/info.ts";
import { Message } from "../protocol/message.ts";
import type { Slab } from "../protocol/slab.ts";
import { noRespondersHeaders } from "../protocol/status.ts";
import { isLiteralSubject, isValidSubject } from "../protocol/subject.ts";
import { EMPTY } from "../protocol/text.ts";
import type { ClientVerbs, FaultSink, ServerVerbs, Sid } from "../protocol/verbs.ts";
import { type Account, isReservedReply, mayBeReserved, RESERVED_SUBJECT } from "./account.ts";
import type { Broker, Traffic } from "./broker.ts";
import { Subscription } from "./subscription.ts";

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
}

/** What a session is made with. */
export interface SessionOptions {
  /** Where the client is, for INFO and logs; "" for one in this process. */
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly slab: Slab;
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
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly traffic: Traffic = { inMsgs: 0, inBytes: 0, outMsgs: 0, outBytes: 0 };
  readonly #broker: Broker;
  readonly #peer: SessionPeer;
  readonly #subscriptions = new Map<Sid, Subscription>();
  readonly #answer: Message;
  #account: Account;
  #options: ConnectOptions = { ...CONNECT_DEFAULTS };
  #connected = false;
  #ponged = false;
  #closed = false;
  #touched = false;
  #heldBy: SessionPeer | undefined;
  // Copies of options that every message asks for.
  #verbose: boolean = CONNECT_DEFAULTS.verbose;
  #pedantic: boolean = CONNECT_DEFAULTS.pedantic;
  #echo: boolean = CONNECT_DEFAULTS.echo;
  #noResponders: boolean = CONNECT_DEFAULTS.no_responders;

  constructor(broker: Broker, peer: SessionPeer, options: SessionOptions) {
    this.#broker = broker;
    this.#peer = peer;
    this.remoteHost = options.remoteHost;
    this.remotePort = options.remotePort;
    this.id = broker.nextClientId();
    this.startedAt = broker.context.clock.now();
    this.#answer = new Message(options.slab);
    this.#account = broker.globalAccount;
  }

  /** Greets the client: it becomes one of the server's connections, or is refused. */
  open(): void {
    const { limits, logger } = this.#broker.context;
    logger.debug(`${this.label} - Client connection created`);
    this.#touch();
    this.#peer.info(this.#info());
    if (this.#broker.sessions.size >= limits.maxConnections) {
      this.fault(FAULTS.maxConnections, "maximum connections exceeded");
      return;
    }
    this.#broker.sessions.set(this.id, this);
    this.#account.sessions.add(this);
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

  /** How log lines name the connection: as nats-server does. */
  get label(): string {
    const from = this.remoteHost === "" ? "pipe" : `${this.remoteHost}:${this.remotePort}`;
    return `${from} - cid:${this.id}`;
  }

  /** The receiver that is behind with what this session has sent it, if any still is. */
  get heldBy(): SessionPeer | undefined {
    if (this.#heldBy !== undefined && !this.#heldBy.behind) this.#heldBy = undefined;
    return this.#heldBy;
  }

  /** For the broker: what was said to the client may go out now. */
  flush(): void {
    this.#touched = false;
    this.#peer.flush();
  }

  #touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    this.#broker.touch(this);
  }

  #info(): ServerInfo {
    const info = this.#broker.context.info();
    const own: ServerInfo = { ...info, client_id: this.id };
    if (this.remoteHost !== "") own.client_ip = this.remoteHost;
    return own;
  }

  // What the client says.

  connect(given: Partial<ConnectOptions>): void {
    if (this.#closed) return;
    // A second CONNECT begins anew, with the fields of the first as defaults (nats-server client.go processConnect).
    if (this.#connected) this.#dropSubscriptions();
    this.#connected = true;
    const options: ConnectOptions = { ...this.#options, ...given };
    this.#options = options;
    const headers = options.headers && this.#broker.context.info().headers;
    this.#peer.headers = headers;
    this.#verbose = options.verbose;
    this.#pedantic = options.pedantic;
    this.#echo = options.echo;
    this.#noResponders = options.no_responders;
    if (options.account !== "" || options.new_account) {
      this.fault(FAULTS.authorization, "authentication error");
    } else if (options.protocol < 0 || options.protocol > 1) {
      this.fault(FAULTS.clientProtocol, "invalid client protocol");
    } else if (options.no_responders && !headers) {
      this.fault(FAULTS.noRespondersNeedsHeaders, "no responders requires headers support");
    } else {
      this.#ok();
    }
  }

  sub(subject: string, queue: string | undefined, sid: Sid): void {
    if (this.#closed) return;
    if (queue === SYSTEM_QUEUE) {
      this.fault(
        subscriptionViolation(subject, queue),
        `Subscription Violation - Subject "${subject}", Queue "${queue}"`,
      );
      return;
    }
    const { maxSubscriptions } = this.#broker.context.limits;
    if (maxSubscriptions > 0 && this.#subscriptions.size >= maxSubscriptions) {
      this.fault(FAULTS.maxSubscriptions, "maximum subscriptions exceeded");
      return;
    }
    // The first of two with one id stays, without a word.
    if (!this.#subscriptions.has(sid)) {
      if (!isValidSubject(subject)) {
        this.fault(FAULTS.invalidSubject, `invalid subject "${subject}"`);
        return;
      }
      const subscription = new Subscription(this, subject, queue, sid);
      this.#subscriptions.set(sid, subscription);
      this.#account.router.insert(subscription);
    }
    this.#ok();
  }

  unsub(sid: Sid, max: number | undefined): void {
    if (this.#closed) return;
    const subscription = this.#subscriptions.get(sid);
    if (subscription !== undefined) {
      if (max !== undefined && max > subscription.delivered) subscription.max = max;
      else this.#drop(subscription);
    }
    this.#ok();
  }

  ping(): void {
    if (this.#closed) return;
    this.#touch();
    this.#peer.pong();
    if (!this.#connected || this.#ponged) return;
    this.#ponged = true;
    if (this.#options.protocol < 1) return;
    const info = this.#info();
    info.connect_info = true;
    info.remote_account = this.#account.name;
    this.#peer.info(info);
  }

  /** What a `PONG` means is between the two ends of the wire: the connection that has one sees to it. */
  pong(): void {}

  pub(message: Message): void {
    if (this.#closed) return;
    const { router } = this.#account;
    const traffic = this.traffic;
    traffic.inMsgs += 1;
    traffic.inBytes += message.size;
    const onWire = message.onWire;
    const route = onWire ? router.findWire(message) : router.find(message.subject);
    message.subject = route.subject;
    if (this.#pedantic && !isLiteralSubject(route.subject)) this.#say(FAULTS.invalidPublishSubject);
    if (route.flags & RESERVED_SUBJECT) {
      this.fault(publishViolation(route.subject), `Publish Violation - Subject "${route.subject}"`);
      return;
    }
    if (message.hasReply && this.#replyIsReserved(message)) {
      this.fault(replyViolation(message.reply), `Publish Violation - Reply "${message.reply}"`);
      return;
    }
    if (this.#verbose) this.#ok();
    const { plain, groups } = route;
    const shared = plain.length + groups.length > 1;
    let delivered = false;
    for (let i = 0; i < plain.length; i++) if (this.#deliver(plain[i], message, shared)) delivered = true;
    for (let i = 0; i < groups.length; i++)
      if (this.#deliverToOne(groups[i], message, shared)) delivered = true;
    if (!delivered && message.hasReply && this.#noResponders) this.#sayNoResponders(message);
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
  #deliverToOne(group: Subscription[], message: Message, shared: boolean): boolean {
    const count = group.length;
    let at = count === 1 ? 0 : Math.floor(this.#broker.context.random.fraction() * count);
    for (let i = 0; i < count; i++) {
      if (this.#deliver(group[at], message, shared)) return true;
      at = at + 1 === count ? 0 : at + 1;
    }
    return false;
  }

  #deliver(to: Subscription, message: Message, shared: boolean): boolean {
    if (to.closed) return false;
    const session = to.session;
    if (session === this && !this.#echo) return false;
    to.delivered += 1;
    if (to.max > 0 && to.delivered >= to.max) {
      // The last one it wants is delivered after it is taken out, so that a message that this causes does not find it.
      session.#drop(to);
    }
    session.#send(to, message, shared);
    const peer = session.#peer;
    if (peer.behind) this.#heldBy = peer;
    return true;
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

  fault(fault: ProtocolFault, detail: string): void {
    if (this.#closed) return;
    this.#broker.context.logger.error(`${this.label} - ${detail}`);
    this.#say(fault);
    if (fault.close !== undefined) this.close(fault.close);
  }

  // The end.

  /** Ends the session, once. */
  close(reason: ClosedReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dropSubscriptions();
    this.#account.sessions.delete(this);
    this.#broker.left(this, reason);
    this.#peer.close(reason);
  }

  #dropSubscriptions(): void {
    for (const subscription of this.#subscriptions.values()) this.#drop(subscription);
    assert(this.#subscriptions.size === 0, "a session without subscriptions has none");
  }

  #drop(subscription: Subscription): void {
    subscription.closed = true;
    this.#subscriptions.delete(subscription.sid);
    this.#account.router.remove(subscription);
  }
}
