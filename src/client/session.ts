import type { ClosedReason } from "../protocol/closed-reason.ts";
import type { ConnectOptions as ConnectFields } from "../protocol/connect-options.ts";
import type { ProtocolFault } from "../protocol/faults.ts";
import type { ServerInfo } from "../protocol/info.ts";
import type { Message } from "../protocol/message.ts";
import { Slab } from "../protocol/slab.ts";
import type { Sid, SubscriptionRef } from "../protocol/verbs.ts";
import type { Timer } from "../seams/clock.ts";
import type { VerbLinkClient, VerbLinkServer } from "../seams/link.ts";
import type { Runtime } from "../seams/runtime.ts";
import { errors, type PermissionViolationError, type Stats } from "./core.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { Fifo } from "./fifo.ts";
import { KeepAlive } from "./keep-alive.ts";
import { ClientMsg, type Responder } from "./msg.ts";
import { type ConnectOptions, PING_INTERVAL_MS, PING_OUT_MAX, type Target } from "./options.ts";
import { serverError } from "./server-errors.ts";
import { StatusListeners } from "./status-listeners.ts";
import { ClientSubscription, type SubscriptionHost, type SubscriptionOptions } from "./subscription.ts";
import { type WireClient, WireServer } from "./wire-server.ts";

/** What a session tells the connection that it is the inside of. */
export interface SessionOwner extends Responder {
  /** The server does not allow a subscription, or publishing to a subject. */
  denied(error: PermissionViolationError): void;
  /** The session has ended, with the error that ended it, if any. */
  ended(error: Error | undefined): void;
}

/**
 * The client's side of one link: says what the client says, and takes what the server says. That comes in by the verbs, and is only
 * queued there; callbacks run in {@link flush}, which the link calls when a chunk of input is done, never inside a call that
 * the program made.
 */
export class ClientSession implements VerbLinkClient, WireClient, SubscriptionHost {
  readonly stats: Stats = { inBytes: 0, outBytes: 0, inMsgs: 0, outMsgs: 0 };
  readonly listeners = new StatusListeners();
  readonly slab = new Slab();
  readonly #runtime: Runtime;
  readonly #options: ConnectOptions;
  readonly #owner: SessionOwner;
  readonly #name: string;
  readonly #subscriptions = new Map<Sid, ClientSubscription>();
  readonly #inbound = new Fifo<ClientMsg>();
  readonly #awaitedPongs = new Fifo<Deferred<void>>();
  readonly #infoCame = deferred<void>();
  #answeredPongs: Deferred<void>[] = [];
  #server: VerbLinkServer | undefined;
  #info: ServerInfo | undefined;
  #keepAlive: KeepAlive | undefined;
  #lastSid = 0;
  #refusal: Error | undefined;
  #flushing = false;
  #isClosed = false;

  /** @param name - how status events name the server. */
  constructor(options: ConnectOptions, runtime: Runtime, owner: SessionOwner, name: string) {
    this.#name = name;
    this.#options = options;
    this.#runtime = runtime;
    this.#owner = owner;
    // It is only awaited while the connection is made.
    this.#infoCame.promise.catch(() => {});
  }

  /** Whether the session has ended. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What the server has said of itself last. */
  get serverInfo(): ServerInfo | undefined {
    return this.#info;
  }

  // Making the connection.

  /** Opens the link, and resolves once the server has accepted the client. Rejects with why it has not; it is closed then. */
  async open(target: Target): Promise<void> {
    try {
      const dialled = this.#dial(target);
      dialled.catch(() => {});
      // Giving up rejects the second of these, however long the first takes.
      await Promise.race([dialled, this.#infoCame.promise]);
      await this.#infoCame.promise;
      this.#greet();
      await this.roundTrip();
    } catch (error) {
      const why = this.#refusal ?? (error as Error);
      this.finish(why);
      throw why;
    }
    if (target.kind === "tcp") this.#startKeepAlive();
  }

  async #dial(target: Target): Promise<void> {
    if (target.kind === "in-process") {
      this.#server = target.server.inProcessConn().open(this);
      return;
    }
    const { portLink, dial, tasks } = this.#runtime;
    const link = target.kind === "port" ? portLink(target.port) : await dial(target.host, target.port);
    if (this.#isClosed) {
      link.destroy();
      throw new errors.ClosedConnectionError();
    }
    const server = new WireServer(link, this, this.slab, tasks);
    this.#server = server;
    server.start();
  }

  /** `CONNECT`, once the server has introduced itself. */
  #greet(): void {
    const info = this.#info!;
    const { name, noEcho, verbose, pedantic, authenticator } = this.#options;
    const fields: Partial<ConnectFields> = {
      protocol: 1,
      lang: "typescript",
      version: this.#runtime.version,
      verbose: verbose ?? false,
      pedantic: pedantic ?? false,
      headers: info.headers === true,
      no_responders: info.headers === true,
    };
    if (name !== undefined) fields.name = name;
    if (noEcho) fields.echo = false;
    if (typeof authenticator === "function") Object.assign(fields, authenticator(info.nonce));
    this.#server!.connect(fields);
  }

  #startKeepAlive(): void {
    const { pingInterval, maxPingOut } = this.#options;
    this.#keepAlive = new KeepAlive({
      clock: this.#runtime.clock,
      interval: pingInterval ?? PING_INTERVAL_MS,
      max: maxPingOut ?? PING_OUT_MAX,
      ping: (pendingPings) => {
        this.listeners.tell({ type: "ping", pendingPings });
        this.roundTrip().catch(() => {});
      },
      stale: () => {
        this.listeners.tell({ type: "staleConnection" });
        this.finish(new errors.ConnectionError("stale connection"));
      },
    });
  }

  // What the client says.

  /** @throws errors.InvalidArgumentError when the message is larger than the server takes. */
  publish(message: Message): void {
    const { size } = message;
    if (size > this.#info!.max_payload) {
      throw errors.InvalidArgumentError.format("payload", "max_payload size exceeded");
    }
    this.stats.outMsgs += 1;
    this.stats.outBytes += size;
    this.#server!.pub(message);
  }

  subscribe(subject: string, options: SubscriptionOptions): ClientSubscription {
    const subscription = new ClientSubscription(this, ++this.#lastSid, subject, options);
    this.#subscriptions.set(subscription.sid, subscription);
    this.#server!.sub(subject, subscription.queue, subscription.sid);
    const max = subscription.getMax();
    if (max !== undefined) this.#server!.unsub(subscription.sid, max);
    return subscription;
  }

  /** All subscriptions. */
  get subscriptions(): Iterable<ClientSubscription> {
    return this.#subscriptions.values();
  }

  /** Resolves when the server has answered, and what it had sent before has been given to its subscriptions. */
  roundTrip(): Promise<void> {
    if (this.#isClosed) return Promise.reject(new errors.ClosedConnectionError());
    const pong = deferred<void>();
    this.#awaitedPongs.push(pong);
    this.#server!.ping();
    return pong.promise;
  }

  // For subscriptions.

  unsubscribe(subscription: ClientSubscription, max: number | undefined): void {
    this.#server?.unsub(subscription.sid, max);
  }

  drainSubscription(subscription: ClientSubscription): Promise<void> {
    this.#server?.unsub(subscription.sid, undefined);
    return this.roundTrip();
  }

  ended(subscription: ClientSubscription): void {
    this.#subscriptions.delete(subscription.sid);
  }

  slow(subscription: ClientSubscription, pending: number): void {
    this.listeners.tell({ type: "slowConsumer", sub: subscription, pending });
  }

  after(delay: number, action: () => void): Timer {
    return this.#runtime.clock.after(delay, action);
  }

  // What the server says.

  info(info: ServerInfo): void {
    this.#info = info;
    this.#infoCame.resolve();
    if (info.ldm) this.listeners.tell({ type: "ldm", server: `${info.host}:${info.port}` });
  }

  msg(to: SubscriptionRef, message: Message, shared: boolean): void {
    const bytes = message.size;
    this.stats.inMsgs += 1;
    this.stats.inBytes += bytes;
    const subscription = this.#subscriptions.get(to.sid);
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
    const error = serverError(text);
    if (error instanceof errors.PermissionViolationError) this.#denied(error);
    // The server closes the connection after most of the others; this is then why.
    else this.#refusal = error;
    this.listeners.tell({ type: "error", error });
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
    this.#server?.pong();
  }

  pong(): void {
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

  fault(_fault: ProtocolFault, detail: string): void {
    this.finish(new errors.ProtocolError(`the server broke the protocol: ${detail}`));
  }

  lost(error: Error | undefined): void {
    if (this.#isClosed) return;
    const why = this.#refusal ?? error ?? new errors.ConnectionError("the server closed the connection");
    this.finish(why);
  }

  closed(reason: ClosedReason): void {
    if (this.#isClosed) return;
    // Messages that were on their way when the server closed have arrived: in process there is no wire to lose them on.
    this.flush();
    this.finish(this.#refusal ?? new errors.ConnectionError(`the server closed the connection: ${reason}`));
  }

  // The end.

  /** Ends the session, once: nothing is delivered after it, and whatever waits is told. */
  finish(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#keepAlive?.stop();
    this.#inbound.clear();
    const server = this.#server;
    const introduced = this.#info !== undefined;
    if (error !== undefined && introduced) this.listeners.tell({ type: "disconnect", server: this.#name });
    for (const subscription of [...this.#subscriptions.values()]) subscription.abort(error);
    const why = error ?? new errors.ClosedConnectionError();
    const pongs = this.#answeredPongs;
    for (let pong = this.#awaitedPongs.shift(); pong !== undefined; pong = this.#awaitedPongs.shift())
      pongs.push(pong);
    this.#answeredPongs = [];
    for (const pong of pongs) pong.reject(why);
    this.#infoCame.reject(why);
    server?.close();
    this.#owner.ended(error);
    this.listeners.close();
  }
}
