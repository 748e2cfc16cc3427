import { isProtocolToken } from "../protocol/subject.ts";
import { EMPTY } from "../protocol/text.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import {
  type ConnectionOptions,
  errors,
  type Features,
  type Msg,
  type NatsConnection,
  type Payload,
  type PermissionViolationError,
  type PublishOptions,
  parseSemVer,
  type RequestManyOptions,
  type RequestOptions,
  type SemVer,
  type Server,
  type ServerInfo,
  type Stats,
  type Status,
} from "./core.ts";
import { deferred } from "./deferred.ts";
import { uniqueName } from "./inbox.ts";
import { type CloseListener, OfficialInternals } from "./official.ts";
import type { loadConnector } from "./on-demand.ts";
import type { ConnectOptions, Settings } from "./options.ts";
import { Publisher } from "./publisher.ts";
import type { RequestInbox } from "./request-inbox.ts";
import { Requester, type RequestHost } from "./requester.ts";
import { ClientSession, disconnection, type SessionOwner } from "./session.ts";
import type { ClientSubscription, SubscriptionOptions } from "./subscription.ts";
import { Way } from "./way.ts";

/** What {@link Connection.stats} tells. */
export interface ConnectionStats extends Stats {
  /** How often a server took the place of one that was lost. */
  reconnects: number;
}

/** A connection to a NATS server, on any link, with the interface of the official client's `NatsConnection`. Made by `connect`. */
export class Connection implements NatsConnection, SessionOwner, RequestHost {
  readonly #runtime: ClientRuntime;
  readonly #settings: Settings;
  readonly #session: ClientSession;
  readonly #way: Way;
  readonly #publisher: Publisher;
  #requester: Requester | undefined;
  readonly #closed = deferred<undefined | Error>();
  readonly #options: ConnectionOptions;
  #internals: OfficialInternals | undefined;
  #draining: Promise<void> | undefined;

  /** For `connect`. @param options - as they were given; only the official libraries look at them. */
  constructor(
    settings: Settings,
    runtime: ClientRuntime,
    options: ConnectOptions,
    load: typeof loadConnector,
  ) {
    this.#options = options as ConnectionOptions;
    this.#settings = settings;
    this.#runtime = runtime;
    this.#session = new ClientSession(settings, runtime, this);
    this.#way = new Way(settings, runtime, this.#session, load);
    this.#publisher = new Publisher(this.#session);
  }

  /** For `connect`: resolves once a server has accepted the client; rejects with why none has. */
  async open(): Promise<void> {
    try {
      await this.#way.begin();
    } catch (error) {
      this.#session.finish(error as Error);
      throw error;
    }
  }

  // The public interface.

  /** What the server has said of itself; undefined once the connection is closed. */
  get info(): ServerInfo | undefined {
    return this.isClosed() ? undefined : this.#session.serverInfo;
  }

  /** Resolves when the connection is closed: with the error that closed it, if it was one. */
  closed(): Promise<undefined | Error> {
    return this.#closed.promise;
  }

  isClosed(): boolean {
    return this.#session.isClosed;
  }

  isDraining(): boolean {
    return this.#draining !== undefined;
  }

  /** The server's `host:port`; "in-process" and "message-port" where there is no such thing. */
  getServer(): string {
    return this.serverName;
  }

  /** The version of the server, which is {@link info}'s; undefined once the connection is closed. */
  getServerVersion(): SemVer | undefined {
    const { info } = this;
    return info === undefined ? undefined : parseSemVer(info.version);
  }

  /** Messages and bytes (of headers and payloads) since the connection was made, and how often it was made anew. */
  stats(): ConnectionStats {
    return { ...this.#session.stats };
  }

  /**
   * Bytes that were published and wait: until the code at hand is done, until the network takes them, or for another server. It does not
   * grow without end if a program waits for {@link flush} now and then; options `writeBufferSize` and `reconnectBufferSize` bound it.
   */
  buffered(): number {
    return this.#session.buffered;
  }

  /** What happens to the connection from now on. A listener that does not read misses events once 1,024 wait. */
  status(): AsyncIterable<Status> {
    return this.#session.listeners.listen();
  }

  /**
   * Publishes a message. It returns at once; callbacks that it causes run later. The payload may be changed after the call.
   * @throws errors.ClosedConnectionError, errors.DrainingConnectionError, errors.InvalidSubjectError, TypeError (a payload that is
   *   neither text nor bytes), errors.InvalidArgumentError (larger than the server's `max_payload`, or headers that it does not take).
   */
  publish(subject: string, payload: Payload = EMPTY, options?: PublishOptions): void {
    this.#publisher.publish(subject, payload, options?.reply, options);
  }

  /** Publishes a message's subject, payload, reply subject and headers. */
  publishMessage(msg: Msg): void {
    this.#republish(msg.subject, msg);
  }

  /** Publishes a message's payload and headers to its reply subject; false when it has none. */
  respondMessage(msg: Msg): boolean {
    if (msg.reply === undefined || msg.reply === "") return false;
    this.#republish(msg.reply, msg);
    return true;
  }

  #republish(subject: string, { data, reply, headers: given }: Msg): void {
    this.publish(subject, data, { reply, headers: given });
  }

  /**
   * Subscribes to a subject, which may have wildcards. Messages come to `options.callback`, or to `for await` over the subscription.
   * @throws errors.ClosedConnectionError, errors.DrainingConnectionError, errors.InvalidSubjectError, errors.InvalidArgumentError.
   */
  subscribe(subject: string, options: SubscriptionOptions = {}): ClientSubscription {
    this.#checkOpen();
    this.#publisher.check(subject);
    // As for the official client, an empty name is none.
    if (options.queue && !isProtocolToken(options.queue)) {
      throw errors.InvalidArgumentError.format("queue", "must be a text without spaces");
    }
    return this.#session.subscribe(subject, options);
  }

  /**
   * Publishes a request and resolves with the first answer. Rejects with errors.RequestError (whose cause is errors.NoRespondersError when
   * nobody serves the subject) or errors.TimeoutError. Errors say where the request was made if the connection has
   * `noAsyncTraces: false`: finding that out costs more than the request, so it is not the default here.
   */
  request(subject: string, payload: Payload = EMPTY, options?: RequestOptions): Promise<Msg> {
    return this.#requests.request(subject, payload, options);
  }

  /**
   * Publishes a request and gives the answers as they come, until the strategy says that there are enough: "timer" (after `maxWait`),
   * "count" (`maxMessages`), "stall" (a pause of `stall` ms), "sentinel" (an empty answer). `maxWait` always ends it.
   */
  requestMany(
    subject: string,
    payload: Payload = EMPTY,
    options: Partial<RequestManyOptions> = {},
  ): Promise<AsyncIterable<Msg>> {
    return this.#requests.requestMany(subject, payload, options);
  }

  get #requests(): Requester {
    this.#requester ??= new Requester(this, this.#runtime.clock, this.#settings.noAsyncTraces === false);
    return this.#requester;
  }

  /**
   * Resolves when the server has taken all that was published before, and what it had sent until then has been delivered. While the
   * connection is lost, it waits for the next server. Rejects with errors.RequestError when the connection is lost meanwhile, with
   * errors.TimeoutError when `timeout` (ms) has passed.
   */
  flush(options: { timeout?: number } = {}): Promise<void> {
    const { timeout } = options;
    if (timeout === undefined) return this.#session.roundTrip();
    if (!(timeout > 0)) {
      return Promise.reject(errors.InvalidArgumentError.format("timeout", "must be greater than 0"));
    }
    return new Promise((resolve, reject) => {
      const timer = this.#runtime.clock.after(timeout, () => reject(new errors.TimeoutError()));
      this.#session
        .roundTrip()
        .then(resolve, reject)
        .finally(() => timer.cancel());
    });
  }

  /** The time to the server and back, in ms. Rejects with errors.RequestError while the connection is lost. */
  async rtt(): Promise<number> {
    if (!this.isClosed() && !this.#session.isConnected) {
      throw new errors.RequestError("connection disconnected");
    }
    const start = this.#runtime.clock.monotonic();
    await this.#session.roundTrip();
    return this.#runtime.clock.monotonic() - start;
  }

  /**
   * Closes in good order: takes no more messages than are on their way, lets callbacks process those (and may still publish),
   * hands the server all that was published, and closes. Iterators give what they have got, then end.
   */
  async drain(): Promise<void> {
    this.#checkOpen();
    this.#draining = this.#drain();
    return this.#draining;
  }

  async #drain(): Promise<void> {
    const subscriptions = this.#session.subscriptions.filter((each) => each !== this.#requester?.inbox);
    await Promise.allSettled(subscriptions.map((each) => each.drain()));
    this.#publisher.drained = true;
    // Answers to requests that callbacks have made meanwhile have come with this, if they come at all.
    await this.#session.roundTrip().catch(() => {});
    await this.close();
  }

  /** Closes at once. Nothing is delivered after it; what was published is sent. May be called again. */
  close(): Promise<void> {
    this.#session.finish(undefined);
    return Promise.resolve();
  }

  /** {@link drain}: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isClosed()) return;
    await (this.#draining ?? this.drain());
  }

  /**
   * Leaves the server, and goes to another, or the same if there is no other, at once. Resolves before it is there. Does nothing
   * while the connection is lost. Rejects with errors.ClosedConnectionError, errors.DrainingConnectionError.
   */
  async reconnect(): Promise<void> {
    this.#checkOpen();
    if (!this.#session.isConnected) return;
    this.#session.listeners.tell({ type: "forceReconnect" });
    this.#session.leave();
  }

  /**
   * Takes these servers in place of those that the connection knows, for when it goes to another; it stays where it is.
   * @throws errors.InvalidArgumentError, errors.InvalidOperationError (a connection that is not over the network)
   */
  setServers(servers: string[]): void {
    this.#way.setServers(servers);
  }

  /** The servers that the connection knows, in the order in which it will try them. */
  getServers(): ReadonlyArray<Server> {
    return this.#way.servers;
  }

  // For the official libraries, which know the inside of nats-core's connection; not part of the public interface.

  /** See {@link OfficialInternals}. */
  get internals(): OfficialInternals {
    this.#internals ??= new OfficialInternals(this.#options, this);
    return this.#internals;
  }

  get options(): ConnectionOptions {
    return this.#options;
  }

  get features(): Features {
    return this.internals.features;
  }

  addCloseListener(listener: CloseListener): void {
    this.internals.addCloseListener(listener);
  }

  removeCloseListener(listener: CloseListener): void {
    this.internals.removeCloseListener(listener);
  }

  /** Moves a subscription to another subject; from then on it gets `max` more messages, or any number. */
  _resub(subscription: ClientSubscription, subject: string, max?: number): void {
    this.#checkOpen();
    this.#publisher.check(subject);
    this.#session.move(subscription, subject, max);
  }

  openInbox(): RequestInbox {
    this.#checkOpen();
    return this.#requests.open();
  }

  // For the session.

  get serverName(): string {
    return this.#way.name;
  }

  discovered(urls: readonly string[]): void {
    this.#way.discover(urls);
  }

  denied(error: PermissionViolationError): void {
    this.#requester?.denied(error);
  }

  disconnected(why: Error | undefined, final: boolean): void {
    this.#failRequests(why);
    if (final || !this.#way.comesBack) this.#session.finish(why);
    else this.#way.again(false);
  }

  left(taken: Promise<void>): void {
    this.#failRequests(undefined);
    if (this.#way.comesBack) void taken.then(() => this.#way.again(true));
    else this.#session.finish(undefined);
  }

  /** Requests that are under way get no answer any more, as the one who has it no longer reaches this client. */
  #failRequests(why: Error | undefined): void {
    const error = disconnection(why);
    this.#requester?.failAll(error);
    for (const subscription of this.#session.subscriptions) {
      if (subscription.requestSubject !== undefined) subscription.fail(error);
    }
  }

  ended(error: Error | undefined): void {
    this.#way.stop();
    this.#requester?.close();
    this.#closed.resolve(error);
  }

  // For requests.

  newInbox(): string {
    return `${this.#settings.inboxPrefix}.${uniqueName(this.#runtime.random)}`;
  }

  publishRequest(
    subject: string,
    payload: Payload,
    reply: string,
    options: PublishOptions | undefined,
  ): void {
    this.#publisher.publish(subject, payload, reply, options);
  }

  checkRequest(subject: string): void {
    this.#checkOpen();
    this.#publisher.check(subject);
  }

  #checkOpen(): void {
    if (this.#session.isClosed) throw new errors.ClosedConnectionError();
    if (this.#draining !== undefined) throw new errors.DrainingConnectionError();
  }
}
