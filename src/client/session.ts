import type { ClosedReason } from "../protocol/closed-reason.ts";
import type { ProtocolFault } from "../protocol/faults.ts";
import type { ServerInfo } from "../protocol/info.ts";
import { Message } from "../protocol/message.ts";
import { Slab } from "../protocol/slab.ts";
import type { ClientVerbs, Sid, SubscriptionRef } from "../protocol/verbs.ts";
import type { Timer } from "../seams/clock.ts";
import type { VerbLinkClient, VerbLinkServer } from "../seams/link.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import { Attempt } from "./attempt.ts";
import { Backlog } from "./backlog.ts";
import type { Attempts } from "./connector.ts";
import { isRefusal } from "./connector.ts";
import { errors, type PermissionViolationError, type Stats } from "./core.ts";
import { type Deferred, deferred } from "./deferred.ts";
import type { Target } from "./dial.ts";
import { Fifo } from "./fifo.ts";
import { greet } from "./greeting.ts";
import { KeepAlive } from "./keep-alive.ts";
import { ClientMsg, type Responder } from "./msg.ts";
import type { Settings } from "./options.ts";
import { serverError } from "./server-errors.ts";
import { StatusListeners } from "./status-listeners.ts";
import { ClientSubscription, type SubscriptionHost, type SubscriptionOptions } from "./subscription.ts";
import { type WireClient, WireServer } from "./wire-server.ts";

/** What a session tells the connection that it is the inside of. */
export interface SessionOwner extends Responder {
  /** The server does not allow a subscription, or publishing to a subject. */
  denied(error: PermissionViolationError): void;
  /** The link is lost. Whether another is looked for is the owner's to decide; `final` says that none will be found. */
  disconnected(why: Error | undefined, final: boolean): void;
  /** The link has been left by the user's wish; resolves when the server has taken what was said on it. */
  left(taken: Promise<void>): void;
  /** The session has ended, with the error that ended it, if any. */
  ended(error: Error | undefined): void;
}

/**
 * The client's side of the protocol, over one link after another: says what the client says, and takes what the server says. That comes
 * in by the verbs, and is only queued there; callbacks run in {@link flush}, which the link calls when a chunk of input is
 * done, never inside a call that the program made. Without a link, what the client says goes to the {@link Backlog}.
 */
export class ClientSession implements VerbLinkClient, WireClient, SubscriptionHost, Attempts {
  readonly stats: Stats & { reconnects: number } = {
    inBytes: 0,
    outBytes: 0,
    inMsgs: 0,
    outMsgs: 0,
    reconnects: 0,
  };
  readonly listeners: StatusListeners;
  readonly slab = new Slab();
  readonly #runtime: ClientRuntime;
  readonly #settings: Settings;
  readonly #owner: SessionOwner;
  readonly #subscriptions = new Map<Sid, ClientSubscription>();
  /** The one that the last message was for; undefined once any has gone. */
  #last: ClientSubscription | undefined;
  readonly #inbound = new Fifo<ClientMsg>();
  readonly #awaitedPongs = new Fifo<Deferred<void>>();
  readonly #backlog: Backlog;
  #answeredPongs: Deferred<void>[] = [];
  /** Where what the client says goes: the link once the server has accepted the client, else the backlog. */
  #server: ClientVerbs;
  #link: VerbLinkServer | undefined;
  #attempt: Attempt | undefined;
  #info: ServerInfo | undefined;
  #keepAlive: KeepAlive | undefined;
  #lastSid = 0;
  #refusal: Error | undefined;
  #everAccepted = false;
  #leaving = false;
  #flushing = false;
  #isClosed = false;

  constructor(settings: Settings, runtime: ClientRuntime, owner: SessionOwner) {
    this.#settings = settings;
    this.#runtime = runtime;
    this.#owner = owner;
    this.#backlog = new Backlog(settings.reconnectBufferSize);
    this.#server = this.#backlog;
    this.listeners = new StatusListeners(settings.onStatus);
  }

  /** Whether the session has ended. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether a server has accepted the client, and is there. */
  get isConnected(): boolean {
    return this.#link !== undefined && this.#server === this.#link;
  }

  /** What the server has said of itself last. */
  get serverInfo(): ServerInfo | undefined {
    return this.#info;
  }

  /** How status events name the server. */
  get #name(): string {
    return this.#settings.pool.current?.listen ?? "";
  }

  // Making a connection.

  trying(): void {
    this.listeners.tell({ type: "reconnecting" });
  }

  /** For the connector: opens a link and greets the server. Resolves once it has accepted the client. */
  async attempt(target: Target): Promise<void> {
    const attempt = new Attempt();
    this.#attempt = attempt;
    this.#refusal = undefined;
    try {
      await greet(target, attempt, this.#settings, this.#runtime, this);
      await attempt.accepted.promise;
    } catch (error) {
      attempt.fail(error as Error);
      if (this.#attempt === attempt) {
        this.#attempt = undefined;
        this.#letGo(abort);
      }
      throw this.#refusal ?? attempt.failure;
    }
  }

  /** For the greeting: what the server says from now on is said over this link. */
  take(link: VerbLinkServer): void {
    this.#link = link;
  }

  giveUp(error: Error): void {
    this.#attempt?.fail(error);
  }

  /** The server has accepted the client: it is told all subscriptions, and what has waited for it. */
  #accepted(attempt: Attempt): void {
    const link = this.#link!;
    this.#attempt = undefined;
    this.#server = link;
    this.#refusal = undefined;
    if (this.#settings.way.kind !== "in-process") this.#startKeepAlive();
    for (const subscription of this.#subscriptions.values()) this.#tell(link, subscription);
    this.#backlog.replay(
      link,
      new Message(this.slab),
      (message) => this.#refused(message),
      () => this.#server === link,
    );
    if (this.#everAccepted) {
      this.stats.reconnects += 1;
      this.listeners.tell({ type: "reconnect", server: this.#name });
    }
    this.#everAccepted = true;
    attempt.accepted.resolve();
  }

  #tell(server: ClientVerbs, subscription: ClientSubscription): void {
    const { subject, queue, sid } = subscription;
    const left = subscription.begin();
    if (left !== undefined && left <= 0) return;
    server.sub(subject, queue, sid);
    if (left !== undefined) server.unsub(sid, left);
  }

  /** Whether the server that came in place of another does not take a message that waited. */
  #refused(message: Message): boolean {
    const info = this.#info!;
    let error: Error | undefined;
    if (message.size > info.max_payload)
      error = errors.InvalidArgumentError.format("payload", "max_payload size exceeded");
    else if (message.hasHeaders && info.headers !== true)
      error = errors.InvalidArgumentError.format("headers", "are not available on this server");
    if (error === undefined) return false;
    this.stats.outMsgs -= 1;
    this.stats.outBytes -= message.size;
    this.listeners.tell({ type: "error", error });
    return true;
  }

  #startKeepAlive(): void {
    const { pingInterval, maxPingOut } = this.#settings;
    this.#keepAlive = new KeepAlive({
      clock: this.#runtime.clock,
      interval: pingInterval,
      max: maxPingOut,
      ping: (pendingPings) => {
        this.listeners.tell({ type: "ping", pendingPings });
        this.roundTrip().catch(() => {});
      },
      stale: () => {
        this.listeners.tell({ type: "staleConnection" });
        this.#lose(new errors.ConnectionError("stale connection"), false);
      },
    });
  }

  // What the client says.

  /** @throws errors.InvalidArgumentError when the message is larger than the server takes; ReconnectBufferExceededError. */
  publish(message: Message): void {
    const { size } = message;
    if (size > this.#info!.max_payload) {
      throw errors.InvalidArgumentError.format("payload", "max_payload size exceeded");
    }
    this.#server.pub(message);
    this.stats.outMsgs += 1;
    this.stats.outBytes += size;
  }

  subscribe(subject: string, options: SubscriptionOptions): ClientSubscription {
    const subscription = new ClientSubscription(this, ++this.#lastSid, subject, options);
    this.#subscriptions.set(subscription.sid, subscription);
    this.#tell(this.#server, subscription);
    return subscription;
  }

  /** Gives a subscription another subject. What is on its way for the old one does not reach it: it gets another id, too. */
  move(subscription: ClientSubscription, subject: string, max: number | undefined): void {
    if (subscription.isClosed()) return;
    this.#server.unsub(subscription.sid, undefined);
    this.#subscriptions.delete(subscription.sid);
    this.#last = undefined;
    // Also what has come and was not given to it yet.
    for (let left = this.#inbound.length; left > 0; left--) {
      const msg = this.#inbound.shift()!;
      if (msg.subscription === subscription) subscription.skip(msg);
      else this.#inbound.push(msg);
    }
    subscription.move(++this.#lastSid, subject, max);
    this.#subscriptions.set(subscription.sid, subscription);
    this.#tell(this.#server, subscription);
  }

  /** All subscriptions. */
  get subscriptions(): Iterable<ClientSubscription> {
    return this.#subscriptions.values();
  }

  /**
   * Resolves when the server has answered, and what it had sent before has been given to its subscriptions. While there is no server,
   * it waits for the next. Rejects with errors.RequestError when the connection is lost meanwhile.
   */
  roundTrip(): Promise<void> {
    if (this.#isClosed) return Promise.reject(new errors.ClosedConnectionError());
    const pong = deferred<void>();
    this.#awaitedPongs.push(pong);
    this.#server.ping();
    return pong.promise;
  }

  // For subscriptions.

  unsubscribe(subscription: ClientSubscription, max: number | undefined): void {
    this.#server.unsub(subscription.sid, max);
  }

  drainSubscription(subscription: ClientSubscription): Promise<void> {
    // Without a server nothing is on its way.
    if (!this.isConnected) return Promise.resolve();
    this.#server.unsub(subscription.sid, undefined);
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
    return this.#runtime.clock.after(delay, action);
  }

  // What the server says.

  info(info: ServerInfo): void {
    if (this.#leaving) return;
    this.#info = info;
    this.#attempt?.introduced.resolve(info);
    const { pool, ignoreClusterUpdates, way } = this.#settings;
    if (!ignoreClusterUpdates && (way.kind === "network" || way.kind === "dial")) {
      const changes = pool.discover(info.connect_urls ?? []);
      if (changes !== undefined) this.listeners.tell({ type: "update", ...changes });
    }
    if (info.ldm) this.listeners.tell({ type: "ldm", server: this.#name });
  }

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
      this.#owner,
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
    if (!subscription.enqueue(msg)) this.#inbound.push(msg);
  }

  ok(): void {}

  err(text: string): void {
    if (this.#leaving) return;
    const error = serverError(text);
    if (error instanceof errors.PermissionViolationError) this.#denied(error);
    // The server closes the connection after most of the others; this is then why.
    else this.#refusal = error;
    this.listeners.tell({ type: "error", error });
    if (isRefusal(error)) this.#attempt?.fail(error);
  }

  #denied(error: PermissionViolationError): void {
    for (const subscription of [...this.#subscriptions.values()]) {
      const concerned =
        error.operation === "subscription"
          ? subscription.subject === error.subject && subscription.queue === error.queue
          : subscription.requestSubject === error.subject;
      if (!concerned) continue;
      this.#guard(() => subscription.fail(error));
      break;
    }
    this.#owner.denied(error);
  }

  ping(): void {
    this.#link?.pong();
  }

  pong(): void {
    const attempt = this.#attempt;
    if (attempt !== undefined) {
      // One that was given up meanwhile is about to be let go.
      if (attempt.failure === undefined) this.#accepted(attempt);
      return;
    }
    this.#keepAlive?.answered();
    const awaited = this.#awaitedPongs.shift();
    if (awaited !== undefined) this.#answeredPongs.push(awaited);
  }

  /** For the link: runs the callbacks of all messages that have come, in the order they came. */
  flush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      for (let msg = this.#inbound.shift(); msg !== undefined; msg = this.#inbound.shift()) {
        try {
          msg.subscription.dispatch(msg);
        } catch (error) {
          this.#callbackThrew(error);
        }
      }
    } finally {
      this.#flushing = false;
    }
    if (this.#answeredPongs.length === 0) return;
    const answered = this.#answeredPongs;
    this.#answeredPongs = [];
    for (const pong of answered) pong.resolve();
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#callbackThrew(error);
    }
  }

  /** A callback's error is its own: the others go on, and whoever listens to the status is told. */
  #callbackThrew(error: unknown): void {
    this.listeners.tell({ type: "error", error: error instanceof Error ? error : new Error(String(error)) });
  }

  // The end of a link.

  fault(_fault: ProtocolFault, detail: string): void {
    this.#lose(new errors.ProtocolError(`the server broke the protocol: ${detail}`), false);
  }

  lost(error: Error | undefined): void {
    this.#lose(error ?? new errors.ConnectionError("the server closed the connection"), false);
  }

  closed(reason: ClosedReason): void {
    if (this.#leaving) return;
    // Messages that were on their way when the server closed have arrived: in process there is no wire to lose them on.
    this.flush();
    // A server in this program that has shut down does not come back: a new one would be another object.
    const final = reason === "Server Shutdown";
    this.#lose(new errors.ConnectionError(`the server closed the connection: ${reason}`), final);
  }

  /** The user wants another link: what was published is sent on this one first, so that nothing overtakes it. */
  leave(): void {
    const link = this.#link;
    if (!this.isConnected || link === undefined) return;
    let taken = Promise.resolve();
    this.#letGo((each) => {
      if (each instanceof WireServer) taken = each.leave();
      else each.close();
    });
    this.#disconnected(undefined);
    this.#owner.left(taken);
  }

  /**
   * The link is of no use any more.
   * @param final - no other will be.
   */
  #lose(error: Error | undefined, final: boolean): void {
    const why = this.#refusal ?? error;
    if (this.#attempt !== undefined) {
      this.#attempt.fail(why ?? new errors.ConnectionError("connection disconnected"));
      return;
    }
    if (this.#isClosed || this.#link === undefined) return;
    this.#letGo(abort);
    this.#disconnected(why);
    this.#owner.disconnected(why, final);
  }

  #disconnected(why: Error | undefined): void {
    // Never inside a call of the program's.
    if (this.#inbound.length > 0) this.#runtime.tasks.soon(() => this.flush());
    this.#rejectPongs(() => new errors.RequestError("connection disconnected", { cause: why }));
    this.listeners.tell({ type: "disconnect", server: this.#name });
  }

  /** Ends the link, from which nothing more is heard. */
  #letGo(end: (link: VerbLinkServer) => void): void {
    const link = this.#link;
    this.#keepAlive?.stop();
    this.#keepAlive = undefined;
    this.#link = undefined;
    this.#server = this.#backlog;
    if (link === undefined) return;
    this.#leaving = true;
    try {
      end(link);
    } finally {
      this.#leaving = false;
    }
  }

  #rejectPongs(error: () => Error): void {
    const pongs = this.#answeredPongs;
    this.#answeredPongs = [];
    for (let pong = this.#awaitedPongs.shift(); pong !== undefined; pong = this.#awaitedPongs.shift())
      pongs.push(pong);
    for (const pong of pongs) pong.reject(error());
  }

  /** Ends the session, once: nothing is delivered after it, and whatever waits is told. */
  finish(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inbound.clear();
    if (this.isConnected && error !== undefined)
      this.listeners.tell({ type: "disconnect", server: this.#name });
    for (const subscription of [...this.#subscriptions.values()]) subscription.abort(error);
    this.#rejectPongs(() => error ?? new errors.ClosedConnectionError());
    this.#letGo((link) => link.close());
    this.#backlog.clear();
    this.#attempt?.fail(error ?? new errors.ClosedConnectionError());
    this.#owner.ended(error);
    this.listeners.close();
  }
}

/** Ends a link at once: what waits to be sent on it is of no use either. */
function abort(link: VerbLinkServer): void {
  if (link instanceof WireServer) link.abort();
  else link.close();
}
