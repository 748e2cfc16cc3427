import type { ServerInfo } from "../protocol/info.ts";
import { Message } from "../protocol/message.ts";
import { Slab } from "../protocol/slab.ts";
import type { ClientVerbs, Sid, SubscriptionRef } from "../protocol/verbs.ts";
import type { Timer } from "../seams/clock.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import type { Backlog } from "./backlog.ts";
import { errors, type Stats } from "./core.ts";
import { Inbound } from "./inbound.ts";
import { ClientMsg, type Responder } from "./msg.ts";
import type { StatusListeners } from "./status-listeners.ts";
import { ClientSubscription, type SubscriptionHost, type SubscriptionOptions } from "./subscription.ts";

/**
 * What a client says and is given, whatever link that goes over: messages, subscriptions, round trips. What comes in is only queued;
 * callbacks run in {@link flush}, which the link calls when a chunk of input is done, never inside a call that the program made.
 */
export abstract class Conversation implements SubscriptionHost {
  readonly stats: Stats & { reconnects: number } = {
    inBytes: 0,
    outBytes: 0,
    inMsgs: 0,
    outMsgs: 0,
    reconnects: 0,
  };
  readonly listeners: StatusListeners;
  readonly slab = new Slab();
  protected readonly runtime: ClientRuntime;
  protected readonly inbound: Inbound;
  /** Where what the client says goes: the link once the server has accepted the client, else the backlog. */
  protected server!: ClientVerbs;
  /** What the server has said of itself last. */
  serverInfo: ServerInfo | undefined;
  isClosed = false;
  readonly #responder: Responder;
  readonly #subscriptions = new Map<Sid, ClientSubscription>();
  /** The one that the last message was for; undefined once any has gone. */
  #last: ClientSubscription | undefined;
  #lastSid = 0;

  constructor(runtime: ClientRuntime, listeners: StatusListeners, responder: Responder) {
    this.runtime = runtime;
    this.listeners = listeners;
    this.#responder = responder;
    this.inbound = new Inbound((error) => this.threw(error));
  }

  /** Whether a server has accepted the client, and is there. */
  abstract readonly isConnected: boolean;

  /** @throws errors.InvalidArgumentError when the server does not take the message; ReconnectBufferExceededError. */
  publish(message: Message): void {
    const { size } = message;
    const info = this.serverInfo!;
    if (size > info.max_payload) throw errors.InvalidArgumentError.format(...TOO_LARGE);
    if (message.hasHeaders && info.headers !== true) throw errors.InvalidArgumentError.format(...NO_HEADERS);
    this.server.pub(message);
    this.stats.outMsgs += 1;
    this.stats.outBytes += size;
  }

  subscribe(subject: string, options: SubscriptionOptions): ClientSubscription {
    const subscription = new ClientSubscription(this, ++this.#lastSid, subject, options);
    this.#begin(subscription);
    return subscription;
  }

  #begin(subscription: ClientSubscription): void {
    this.#subscriptions.set(subscription.sid, subscription);
    this.#tell(subscription, this.server);
  }

  /** Gives a subscription another subject. What is on its way for the old one does not reach it: it gets another id, too. */
  move(subscription: ClientSubscription, subject: string, max: number | undefined): void {
    if (subscription.isClosed()) return;
    this.unsubscribe(subscription, undefined);
    this.ended(subscription);
    // Also what has come and was not given to it yet.
    this.inbound.drop(subscription);
    subscription.move(++this.#lastSid, subject, max);
    this.#begin(subscription);
  }

  /** All subscriptions. They may end while they are looked at. */
  get subscriptions(): ClientSubscription[] {
    return [...this.#subscriptions.values()];
  }

  /**
   * Resolves when the server has answered, and what it had sent before has been given to its subscriptions. While there is no server,
   * it waits for the next. Rejects with errors.RequestError when the connection is lost meanwhile.
   */
  roundTrip(): Promise<void> {
    if (this.isClosed) return Promise.reject(new errors.ClosedConnectionError());
    const answered = this.inbound.awaitPong();
    this.server.ping();
    return answered;
  }

  // For subscriptions.

  unsubscribe(subscription: ClientSubscription, max: number | undefined): void {
    this.server.unsub(subscription.sid, max);
  }

  drainSubscription(subscription: ClientSubscription): Promise<void> {
    // Without a server nothing is on its way.
    if (!this.isConnected) return Promise.resolve();
    this.unsubscribe(subscription, undefined);
    return this.roundTrip();
  }

  ended(subscription: ClientSubscription): void {
    this.#subscriptions.delete(subscription.sid);
    this.#last = undefined;
  }

  slow(subscription: ClientSubscription, pending: number): void {
    this.listeners.tell({ type: "slowConsumer", sub: subscription, pending });
  }

  after(delay: number, action: () => void): Timer {
    return this.runtime.clock.after(delay, action);
  }

  #tell(subscription: ClientSubscription, server: ClientVerbs): void {
    const { subject, queue, sid } = subscription;
    const left = subscription.begin();
    if (left !== undefined && left <= 0) return;
    server.sub(subject, queue, sid);
    if (left !== undefined) server.unsub(sid, left);
  }

  /** A server that has accepted the client is told all subscriptions, and is given what has waited for it. */
  protected tellAll(server: ClientVerbs, backlog: Backlog | undefined): void {
    for (const subscription of this.subscriptions) this.#tell(subscription, server);
    backlog?.replay(
      server,
      new Message(this.slab),
      (message) => this.#refused(message),
      () => this.server === server,
    );
  }

  /** Whether the server that came in place of another does not take a message that waited. */
  #refused(message: Message): boolean {
    const info = this.serverInfo!;
    const refused: readonly [string, string] | undefined =
      message.size > info.max_payload
        ? TOO_LARGE
        : message.hasHeaders && info.headers !== true
          ? NO_HEADERS
          : undefined;
    if (refused === undefined) return false;
    this.stats.outMsgs -= 1;
    this.stats.outBytes -= message.size;
    this.listeners.tell({ type: "error", error: errors.InvalidArgumentError.format(...refused) });
    return true;
  }

  // What the server says.

  msg(to: SubscriptionRef, message: Message, shared: boolean): void {
    const bytes = message.size;
    this.stats.inMsgs += 1;
    this.stats.inBytes += bytes;
    // Most messages are for the subscription that the one before was for.
    let subscription = this.#last;
    if (subscription?.sid !== to.sid) this.#last = subscription = this.#subscriptions.get(to.sid);
    if (subscription === undefined || !subscription.admit(bytes)) return;
    message.keep();
    const start = message.keptStart;
    const msg = new ClientMsg(
      this.#responder,
      subscription,
      message.subject,
      message.hasReply ? message.reply : undefined,
      message.keptBytes,
      start,
      start + message.body - message.start,
      start + message.end - message.start,
      message.text,
      shared,
    );
    if (!subscription.enqueue(msg)) this.inbound.push(msg);
  }

  /** For the link: runs the callbacks of all messages that have come. */
  flush(): void {
    this.inbound.flush();
  }

  /** A callback's error is its own: the others go on, and whoever listens to the status is told. */
  protected threw(error: unknown): void {
    this.listeners.tell({ type: "error", error: error instanceof Error ? error : new Error(String(error)) });
  }
}

const TOO_LARGE = ["payload", "max_payload size exceeded"] as const;
const NO_HEADERS = ["headers", "are not available on this server"] as const;
