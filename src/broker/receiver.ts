import type { Router } from "../interest/router.ts";
import type { Matches } from "../interest/subject-tree.ts";
import { CONNECT_DEFAULTS } from "../protocol/connect-options.ts";
import type { ProtocolFault } from "../protocol/faults.ts";
import { Message } from "../protocol/message.ts";
import type { Slab } from "../protocol/slab.ts";
import { noRespondersHeaders } from "../protocol/status.ts";
import { EMPTY } from "../protocol/text.ts";
import type { Broker } from "./broker.ts";
import type { Permissions, ReplyPermits } from "./permissions.ts";
import type { SessionPeer } from "./session-peer.ts";
import type { Subscription } from "./subscription.ts";
import { type MessageTrace, NOT_DELIVERED } from "./trace/message-trace.ts";
import type { Traffic } from "./traffic.ts";

/**
 * The half of a session that speaks to clients: how what one of them has published gets to the others, and what is said to this one. Fields
 * that each message asks for are here as they are, whatever they are copies of.
 */
export abstract class Receiver {
  /** When it was last at work: it has published, changed its subscriptions, or got a message. Milliseconds since the epoch. */
  lastActivity: number;
  readonly traffic: Traffic = { inMsgs: 0, inBytes: 0, outMsgs: 0, outBytes: 0 };
  protected readonly broker: Broker;
  protected readonly peer: SessionPeer;
  /** Whether the client hears `+OK`. */
  protected verbose: boolean = CONNECT_DEFAULTS.verbose;
  /** Whether the client gets what it publishes itself. */
  protected echo: boolean = CONNECT_DEFAULTS.echo;
  /** Whether its messages are dropped for receivers that are far behind, instead of holding it back. */
  protected skipsStalled = false;
  /** What must be kept from the client, and what it may answer; undefined where there is nothing to check. */
  protected filter: Permissions | undefined;
  protected replies: ReplyPermits | undefined;
  readonly #slab: Slab;
  /** Made when nobody gets a request of its for the first time. */
  #answer: Message | undefined;
  #touched = false;
  /** How many messages had been sent to it at the last flush. */
  #flushedMsgs = 0;
  /** The receiver that was behind with what this session has sent it last. */
  protected behindPeer: SessionPeer | undefined;

  constructor(broker: Broker, peer: SessionPeer, slab: Slab) {
    this.broker = broker;
    this.peer = peer;
    this.lastActivity = broker.context.clock.now();
    this.#slab = slab;
  }

  /** The receiver that is behind with what this session has sent it, if any still is. */
  get heldBy(): SessionPeer | undefined {
    if (this.behindPeer !== undefined && !this.behindPeer.behind) this.behindPeer = undefined;
    return this.behindPeer;
  }

  /** For the broker: what was said to the client may go out now. */
  flush(): void {
    this.#touched = false;
    if (this.traffic.outMsgs !== this.#flushedMsgs) {
      this.#flushedMsgs = this.traffic.outMsgs;
      this.lastActivity = this.broker.turnTime();
    }
    this.peer.flush();
  }

  /** Something was said to the client: the next flush is for it, too. */
  protected touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    this.broker.touch(this);
  }

  /** All subscriptions of a route get the message, if nothing is against it; returns whether any has. */
  protected deliverToAll(
    { plain, groups }: Matches<Subscription>,
    message: Message,
    trace: MessageTrace | undefined,
  ): boolean {
    const shared = plain.length + groups.length > 1;
    let delivered = false;
    for (let i = 0; i < plain.length; i++)
      if (this.deliver(plain[i], message, shared, trace)) delivered = true;
    for (let i = 0; i < groups.length; i++)
      if (this.deliverToOne(groups[i], message, shared, trace)) delivered = true;
    return delivered;
  }

  /** One member of a queue group gets the message: a random one, or the next that can take it. */
  protected deliverToOne(
    group: Subscription[],
    message: Message,
    shared: boolean,
    trace: MessageTrace | undefined,
  ): boolean {
    const count = group.length;
    let at = count === 1 ? 0 : Math.floor(this.broker.context.random.fraction() * count);
    for (let i = 0; i < count; i++) {
      if (this.deliver(group[at], message, shared, trace)) return true;
      at = at + 1 === count ? 0 : at + 1;
    }
    return false;
  }

  /** A subscription, of whatever session, gets a message of this client's, if nothing is against it; returns whether. */
  protected deliver(
    to: Subscription,
    message: Message,
    shared: boolean,
    trace: MessageTrace | undefined,
  ): boolean {
    if (trace !== undefined) return this.#deliverTraced(to, message, shared, trace);
    const { session } = to;
    if (
      (to.closed || (session as Receiver) === this || session.filter !== undefined || this.skipsStalled) &&
      this.#refusal(to, message) !== undefined
    ) {
      return false;
    }
    this.#give(to, message, shared);
    return true;
  }

  #deliverTraced(to: Subscription, message: Message, shared: boolean, trace: MessageTrace): boolean {
    const refusal = this.#refusal(to, message);
    // Whether the consumer is slow does not matter to a message that is not sent.
    const kept = trace.only && refusal === NOT_DELIVERED.notStalled ? undefined : refusal;
    trace.egress(to, kept);
    if (trace.only) return kept === undefined;
    if (refusal === undefined) this.#give(to, message, shared);
    return refusal === undefined;
  }

  #give(to: Subscription, message: Message, shared: boolean): void {
    const { session } = to;
    const { peer } = session;
    to.delivered += 1;
    if (to.max > 0 && to.delivered >= to.max) {
      // The last one it wants is delivered after it is taken out, so that a message that this causes does not find it.
      session.drop(to);
    }
    session.#send(to, message, shared);
    if (session.replies !== undefined && message.hasReply) session.replies.grant(message.reply);
    if (peer.behind) this.behindPeer = peer;
  }

  /** Why a subscription is not to get a message, if there is a reason. */
  #refusal(to: Subscription, message: Message): string | undefined {
    if (to.closed) return NOT_DELIVERED.closed;
    const { session } = to;
    if ((session as Receiver) === this && !this.echo) return NOT_DELIVERED.noEcho;
    if (session.filter?.deniesDelivery(message.subject, to.queue) === true) return NOT_DELIVERED.denied;
    if (this.skipsStalled && session.peer.stalled) return NOT_DELIVERED.notStalled;
    return undefined;
  }

  #send(to: Subscription, message: Message, shared: boolean): void {
    const traffic = this.traffic;
    traffic.outMsgs += 1;
    const peer = this.peer;
    traffic.outBytes +=
      message.hasHeaders && !peer.headers ? message.size - message.headerSize : message.size;
    peer.msg(to, message, shared);
    if (!this.#touched) this.touch();
  }

  /** Answers a request that nobody got, to the requestor's own subscription for the reply (behaviour.md A.9). */
  protected sayNoResponders(request: Message, router: Router<Subscription>): void {
    const reply = request.reply;
    for (const subscription of router.find(reply).plain) {
      if ((subscription.session as Receiver) !== this || subscription.closed) continue;
      this.#answer ??= new Message(this.#slab);
      this.#answer.setValue(reply, undefined, noRespondersHeaders(request.subject), EMPTY);
      this.peer.msg(subscription, this.#answer, false);
      this.touch();
      return;
    }
  }

  /** Says `+OK`, to a client that wants to hear it. */
  protected ok(): void {
    if (!this.verbose) return;
    this.peer.ok();
    this.touch();
  }

  /** Says `-ERR`. */
  protected say(fault: ProtocolFault): void {
    if (fault.text === undefined) return;
    this.peer.err(fault.text);
    this.touch();
  }
}
