import { NO_LIMITS } from "../broker/account.ts";
import type { ConnectionType } from "../broker/authenticator.ts";
import { Broker, type BrokerLimits } from "../broker/broker.ts";
import { AccountMappings } from "../broker/mappings.ts";
import type { TraceRules } from "../broker/protocol-trace.ts";
import type { Session } from "../broker/session.ts";
import { BufferPool } from "../protocol/buffer-pool.ts";
import { FAULTS } from "../protocol/faults.ts";
import type { ServerInfo } from "../protocol/info.ts";
import { Slab } from "../protocol/slab.ts";
import type { ByteLink, VerbLink, VerbLinkClient, VerbLinkServer } from "../seams/link.ts";
import type { ListenAddress, Listener } from "../seams/listener.ts";
import { SwitchedLogger } from "../seams/logger.ts";
import type { Port } from "../seams/port.ts";
import type { Runtime } from "../seams/runtime.ts";
import type { SecurableLink } from "../seams/tls.ts";
import { NATS_VERSION } from "../seams/version.ts";
import { Authorization } from "./authorization.ts";
import { ByteConnection, type ConnectionContext, type ConnectionEntry } from "./byte-connection.ts";
import { DirectConnection } from "./direct-connection.ts";
import { listenFailed, ServerError } from "./errors.ts";
import { inProcessInfo } from "./in-process-info.ts";
import { LameDuck } from "./lame-duck.ts";
import { type ListenerTls, openTls, tlsInfo } from "./listener-tls.ts";
import { Monitoring } from "./monitor/monitoring.ts";
import type { MonitorState } from "./monitor/state.ts";
import { changedOptions } from "./options/reload.ts";
import { type ResolvedServerOptions, resolveOptions } from "./options/resolve.ts";
import { type ResolvedTls, resolveTls } from "./options/resolve-tls.ts";
import type { ServerOptions, TlsOptions } from "./options/types.ts";
import { hostPort, reachable } from "./reachable.ts";
import { logReload } from "./reload-lines.ts";
import { newServerId } from "./server-id.ts";
import { type ConfigFacts, logStart, logTls } from "./start-lines.ts";
import { SystemEvents } from "./system/events.ts";
import { ServerIdentity } from "./system/identity.ts";
import { SystemServices } from "./system/services.ts";
import { TraceEvents } from "./system/trace-events.ts";
import { WebsocketListener } from "./websocket/listener.ts";

/** The JetStream API level of that release (ADR-44). */
const API_LEVEL = 4;

/** How long (ms) `close` waits for clients to read their last bytes before it cuts them off. */
const CLOSE_DEADLINE_MS = 2_000;

const STANDARD: ConnectionEntry = { type: "STANDARD" };
const IN_PROCESS: ConnectionEntry = { type: "IN_PROCESS" };

/** Numbers about a running server. */
export interface ServerStats {
  /** Connections now, and ever. */
  readonly connections: number;
  readonly totalConnections: number;
  readonly subscriptions: number;
  /** Messages and bytes from clients, and to them. */
  readonly inMsgs: number;
  readonly inBytes: number;
  readonly outMsgs: number;
  readonly outBytes: number;
  /** Clients that were cut off because they read too slowly. */
  readonly slowConsumers: number;
}

/** One connection in process that has not been opened yet: as calls, or as bytes. */
export interface InProcessConn extends VerbLink {
  /**
   * Takes the server's end of a link of bytes, as if a client had connected over a socket: for clients that speak the
   * wire protocol.
   * @throws ServerError `SERVER_CLOSED`.
   */
  accept(link: ByteLink): void;
}

/** A place where the server takes connections. */
export interface Endpoint {
  readonly kind: "nats" | "monitoring" | "websocket";
  /** Of its URLs, such as "nats" or "https". */
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
}

/**
 * A NATS server in this program. It has no global state: there may be as many as you like. It installs no signal handlers,
 * prints nothing, and never ends the process. Start one with `NatsServer.start`.
 */
export class Server {
  readonly #runtime: Runtime;
  #options: ResolvedServerOptions;
  readonly #id: string;
  readonly #limits: BrokerLimits;
  readonly #traceRules: TraceRules;
  readonly #broker: Broker;
  readonly #context: ConnectionContext;
  /** The configuration file, as it was read last. */
  protected config: ConfigFacts | undefined;
  /** Where log lines go. */
  protected readonly log: SwitchedLogger;
  readonly #byteConnections = new Set<ByteConnection>();
  readonly #directConnections = new Set<DirectConnection>();
  /** Whether passwords are in the options as they are. */
  #plaintext = false;
  readonly #monitoring: Monitoring;
  readonly #events: SystemEvents | undefined;
  #listener: Listener | undefined;
  #tls: ListenerTls | undefined;
  /** Whether the listener's connections may change to TLS. */
  #securable = false;
  #websocket: WebsocketListener | undefined;
  #info: ServerInfo;
  #closing: Promise<void> | undefined;
  #lameDuck: LameDuck | undefined;
  #allEnded: (() => void) | undefined;

  /**
   * Use `NatsServer.start`, which also opens the listener.
   * @throws ServerError `INVALID_OPTION`.
   */
  constructor(options: ServerOptions, runtime: Runtime) {
    this.#options = resolveOptions(options);
    this.#runtime = runtime;
    this.#id = newServerId(runtime.random);
    this.#limits = limitsOf(this.#options);
    this.log = new SwitchedLogger(this.#options.logger, this.#options.debug, this.#options.trace);
    this.#info = {
      server_id: this.#id,
      server_name: this.#options.serverName ?? this.#id,
      version: NATS_VERSION,
      proto: 1,
      go: runtime.platform,
      host: this.#options.listen?.host ?? "",
      port: this.#options.listen?.port ?? 0,
      headers: !this.#options.noHeaderSupport,
      max_payload: this.#options.maxPayload,
      client_id: 0,
      api_lvl: API_LEVEL,
    };
    this.#traceRules = traceRules(this.#options);
    const slab = new Slab();
    this.#broker = new Broker({
      slab,
      clock: runtime.clock,
      random: runtime.random,
      tasks: runtime.tasks,
      logger: this.log,
      limits: this.#limits,
      trace: this.#traceRules,
      systemAccount: this.#options.systemAccount,
      noSublistCache: this.#options.noSublistCache,
      info: () => this.#info,
      adaptInfo: (info, type) => this.#adaptInfo(info, type),
    });
    this.#authorize();
    this.#monitoring = new Monitoring(runtime, this.#broker, {
      log: this.log,
      options: () => this.#options,
      tls: () => this.#tls,
      websocket: () => this.#websocket,
      info: () => this.#info,
      ready: () => this.#closing === undefined,
      config: () => this.config,
    });
    this.#events = this.#serveSystem();
    const optionsNow = (): ResolvedServerOptions => this.#options;
    this.#context = {
      broker: this.#broker,
      pool: new BufferPool(),
      slab,
      get options() {
        return optionsNow();
      },
      ended: (connection) => {
        this.#byteConnections.delete(connection);
        this.#checkEnded();
      },
    };
  }

  /** Events and services in the system account, if there is one. */
  #serveSystem(): SystemEvents | undefined {
    const { systemAccount } = this.#broker;
    if (systemAccount === undefined) return undefined;
    const { state } = this.#monitoring;
    const identity = new ServerIdentity(state);
    const events = new SystemEvents(systemAccount, state, identity, this.#runtime.random);
    this.#broker.observer = events;
    this.#broker.services = new SystemServices(systemAccount, state, identity, events, {
      reload: () => this.reload(),
      kick: (cid) => this.#kick(cid),
      sendAway: (cid) => this.#sendAway(cid),
    });
    this.#broker.tracer = new TraceEvents(this.#broker, identity, this.#runtime.compression);
    return events;
  }

  #kick(cid: number): boolean {
    const session = this.#broker.sessions.get(cid);
    session?.close("Kicked");
    return session !== undefined;
  }

  #sendAway(cid: number): string | undefined {
    const session = this.#broker.sessions.get(cid);
    if (session === undefined) return "no such client id";
    if (session.informAgain({ ...this.#info, ldm: true })) return undefined;
    return "client does not support Lame Duck Mode or is not ready to receive the notification";
  }

  /** Makes of INFO what it says to those who come in another way than over TCP. */
  #adaptInfo(info: ServerInfo, type: ConnectionType): ServerInfo {
    if (type === "IN_PROCESS") return inProcessInfo(info);
    if (type !== "WEBSOCKET" || this.#websocket === undefined) return info;
    const asked = this.#broker.authenticator?.asks(type) || undefined;
    return { ...this.#websocket.adaptInfo(info), auth_required: info.auth_required ?? asked };
  }

  /** Makes accounts and users what the options say. */
  #authorize(): void {
    const broker = this.#broker;
    const { accounts, accountMappings } = this.#options;
    for (const name of [...Object.keys(accounts), ...accountMappings.keys()]) broker.account(name);
    for (const account of broker.accounts.values()) {
      const { limits, msgTrace } = accounts[account.name] ?? {};
      account.limits = { ...NO_LIMITS, ...limits };
      account.trace = msgTrace && { dest: msgTrace.dest, sampling: msgTrace.sampling ?? 100 };
      const rules = accountMappings.get(account.name);
      account.mappings = rules && new AccountMappings(rules, this.#runtime.random);
    }
    const authorization = new Authorization(this.#options, {
      passwords: this.#runtime.passwords,
      account: (name) => (name === undefined ? broker.globalAccount : broker.account(name)),
      systemAccount: this.#options.systemAccount,
    });
    broker.authenticator = authorization.needed ? authorization : undefined;
    this.#info = { ...this.#info, auth_required: authorization.asks("STANDARD") || undefined };
    this.#plaintext = authorization.hasPlaintext;
  }

  /** The options, with the defaults in place. */
  protected get options(): ResolvedServerOptions {
    return this.#options;
  }

  /**
   * Opens the listener that the options ask for, if any. The lines it logs are nats-server's: tools look for them.
   * @throws ServerError `LISTEN_FAILED` or `FILE_FAILED`.
   */
  protected async open(): Promise<void> {
    const { version, platform } = this.#runtime;
    const { tls, allowNonTls } = this.#options;
    if (tls !== undefined) await this.replaceTls(tls, allowNonTls);
    const { log, name } = this;
    const facts = {
      version,
      platform,
      name,
      id: this.#id,
      plaintext: this.#plaintext,
      options: this.#options,
      config: this.config,
    };
    logStart(log, facts);
    this.beforeListening();
    await this.#monitoring.open();
    await this.#openWebsocket();
    await this.#listen();
    this.afterListening();
    log.notice("Server is ready");
  }

  /** For what a runtime does before the first listener is opened. */
  protected beforeListening(): void {}

  /** For what a runtime does once all listeners are open. */
  protected afterListening(): void {}

  /** For what a runtime does once all is closed. */
  protected afterClosing(): void {}

  async #listen(): Promise<void> {
    const { listen } = this.#options;
    if (listen === undefined) return;
    const place = hostPort(listen);
    try {
      this.#listener = await this.#openListener(listen);
    } catch (cause) {
      const why = (cause as Error).message;
      this.log.fatal(`Error listening on port: ${place}, ${JSON.stringify(`listen tcp ${place}: ${why}`)}`);
      await Promise.all([this.#monitoring.close(), this.#websocket?.close()]);
      throw listenFailed("listen", listen, cause);
    }
    this.#announce();
    this.log.notice(`Listening for client connections on ${hostPort(this.#listener.address)}`);
    logTls(this.log, this.#options);
  }

  /** Logs as the options given say, also of the connections that there are. */
  protected applyLogging(options: ResolvedServerOptions): void {
    this.log.debugOn = options.debug;
    this.log.traceOn = options.trace;
    Object.assign(this.#traceRules, traceRules(options));
    this.#broker.applyTrace();
  }

  async #openWebsocket(): Promise<void> {
    const { websocket } = this.#options;
    if (websocket === undefined) return;
    const listener = new WebsocketListener(websocket, {
      network: this.#runtime.network,
      log: this.log,
      maxPayload: () => this.#limits.maxPayload,
      accept: (link, { credentials, forwardedFor }, tls) => {
        const { pingInterval } = websocket;
        this.#accept(link, { type: "WEBSOCKET", credentials, forwardedFor, tls, pingInterval });
      },
    });
    try {
      await listener.open();
    } catch (error) {
      await this.#monitoring.close();
      throw error;
    }
    this.#websocket = listener;
  }

  /** The places where the server takes connections, as they are now. */
  protected endpoints(): Endpoint[] {
    const address = this.#listener?.address;
    const clients: Endpoint[] =
      address === undefined
        ? []
        : [{ kind: "nats", scheme: this.#info.tls_required ? "tls" : "nats", ...address }];
    const { address: websocket, scheme = "ws" } = this.#websocket ?? {};
    return [
      ...clients,
      ...(websocket === undefined ? [] : [{ kind: "websocket" as const, scheme, ...websocket }]),
      ...this.#monitoring.endpoints().map((each) => ({ kind: "monitoring" as const, ...each })),
    ];
  }

  /** Opens the log file anew: for whoever has moved it away. Only for a server that writes one (`logFile`). */
  reopenLog(): void {
    this.log.reopen();
  }

  #openListener(address: ListenAddress): Promise<Listener> {
    const { network } = this.#runtime;
    this.#securable = this.#tls !== undefined;
    if (!this.#securable) return network.listen(address, (link) => this.#accept(link, STANDARD));
    return network.listenSecurable(address, (link) => this.#acceptSecurable(link));
  }

  /**
   * Reads the TLS files anew: connections from now on use them, and the settings given. TLS may also begin or end (undefined) here;
   * where it begins, the listener is opened anew on its port.
   * @throws ServerError `INVALID_OPTION` that says which file is wrong; then everything stays as it was.
   */
  protected async replaceTls(tls: ResolvedTls | undefined, allowNonTls: boolean): Promise<void> {
    const opened =
      tls === undefined ? undefined : await openTls({ tls, allowNonTls }, this.#runtime, this.log);
    this.#tls?.rate?.stop();
    this.#tls = opened;
    this.#info = { ...this.#info, ...tlsInfo(opened) };
    await this.#monitoring.renewTls();
    const listener = this.#listener;
    if (opened === undefined || listener === undefined || this.#securable) return;
    void listener.close();
    this.#listener = await this.#openListener(listener.address);
  }

  /**
   * The same for the WebSocket listener, where TLS can neither begin nor end.
   * @throws ServerError `INVALID_OPTION` that says which file is wrong; then everything stays as it was.
   */
  protected async replaceWebsocketTls(tls: TlsOptions): Promise<void> {
    await this.#websocket?.replaceTls(resolveTls(tls, "websocket.tls"));
  }

  /** The server's id: 56 characters that begin with `N`, new with every start. */
  get id(): string {
    return this.#id;
  }

  /** The server's name: the option `serverName`, or the id. */
  get name(): string {
    return this.#info.server_name;
  }

  /** Whether `close` has been called. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** The port that the listener has; undefined without a listener. */
  get port(): number | undefined {
    return this.#listener?.address.port;
  }

  /** The URL that clients on this machine connect to, such as "nats://127.0.0.1:4222"; undefined without a listener. */
  get clientUrl(): string | undefined {
    if (this.#listener === undefined) return undefined;
    return `nats://${reachable(this.#listener.address)}`;
  }

  /** The URL of monitoring for programs on this machine, such as "http://127.0.0.1:8222"; undefined where there is none. */
  get monitorUrl(): string | undefined {
    return this.#monitoring.url;
  }

  /** What the views of monitoring read (src/server/monitor/). */
  protected get monitorState(): MonitorState {
    return this.#monitoring.state;
  }

  /** The URL that clients on this machine connect to over WebSocket, such as "ws://127.0.0.1:8080"; undefined without such a listener. */
  get websocketUrl(): string | undefined {
    return this.#websocket?.url;
  }

  /** Numbers about the server, as they are now. */
  stats(): ServerStats {
    return {
      connections: this.#broker.sessions.size,
      totalConnections: this.#broker.totalConnections,
      subscriptions: this.#broker.subscriptions,
      slowConsumers: this.#broker.slowConsumers,
      ...this.#broker.traffic(),
    };
  }

  /**
   * A connection that needs no socket: give the server to `connect({ inProcessServer: server })`, which calls this.
   * @throws ServerError `SERVER_CLOSED`.
   */
  inProcessConn(): InProcessConn {
    this.#checkOpen();
    return {
      open: (client) => this.#openDirect(client),
      accept: (link) => {
        this.#checkOpen();
        this.#accept(link, IN_PROCESS);
      },
    };
  }

  /**
   * A port for a worker thread: pass it to the worker (it must be transferred), and `connect({ messagePort })` there. The server
   * gives up the connection when the port is closed.
   * @throws ServerError `SERVER_CLOSED`.
   */
  messagePort(): Port {
    this.#checkOpen();
    const [near, far] = this.#runtime.portPair();
    this.#accept(this.#runtime.portLink(near), IN_PROCESS);
    return far;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new ServerError("SERVER_CLOSED", "the server is closed");
  }

  #accept(link: ByteLink, entry: ConnectionEntry): void {
    this.#admit(link, entry)?.open();
  }

  #acceptSecurable(link: SecurableLink): void {
    const connection = this.#admit(link, STANDARD);
    if (this.#tls === undefined) connection?.open();
    else connection?.openSecurable(link, this.#tls);
  }

  #admit(link: ByteLink, entry: ConnectionEntry): ByteConnection | undefined {
    if (this.#closing !== undefined) {
      link.destroy();
      return undefined;
    }
    const connection = new ByteConnection(this.#context, link, entry);
    this.#byteConnections.add(connection);
    return connection;
  }

  #openDirect(client: VerbLinkClient): VerbLinkServer {
    this.#checkOpen();
    if (this.#broker.sessions.size >= this.#limits.maxConnections) {
      throw new ServerError("CONNECTION_REFUSED", "maximum connections exceeded", {
        option: "maxConnections",
      });
    }
    const connection = new DirectConnection(
      this.#broker,
      this.#context.slab,
      client,
      this.#options.writeDeadline,
      (ended) => this.#directConnections.delete(ended),
    );
    this.#directConnections.add(connection);
    connection.open();
    return connection;
  }

  /**
   * Reads the configuration again and applies what has changed. A server that was started with options has nothing to read.
   * @throws ServerError `RELOAD_FAILED`: nothing has changed then.
   */
  async reload(): Promise<void> {
    throw new ServerError(
      "RELOAD_FAILED",
      "can only reload config when a file is provided using -c or --config",
    );
  }

  /**
   * Applies other options to the running server: all of them, or none (behaviour.md E.4). Clients that may not be what they were any
   * more are sent away, and subscriptions taken back that they may not have.
   * @throws ServerError `RELOAD_FAILED`, which names what cannot be changed.
   */
  protected async reconfigure(given: ServerOptions, config: ConfigFacts): Promise<void> {
    const next = settle(given);
    const changed = changedOptions(this.#options, next);
    try {
      if (next.tls !== undefined || this.#tls !== undefined)
        await this.replaceTls(next.tls, next.allowNonTls);
      if (given.websocket?.tls !== undefined) await this.replaceWebsocketTls(given.websocket.tls);
      this.applyLogging(next);
    } catch (cause) {
      throw new ServerError("RELOAD_FAILED", (cause as Error).message, { cause });
    }
    const before = this.#options;
    this.#options = next;
    Object.assign(this.#limits, limitsOf(next));
    this.#authorize();
    this.#announce();
    for (const session of [...this.#broker.sessions.values()]) session.reconsider();
    this.#closeExcess(next.maxConnections);
    if (changed.includes("maxPayload") || changed.includes("clientAdvertise"))
      this.#broadcastInfo(this.#info);
    this.#broker.flush();
    this.afterReload(before);
    logReload(this.log, changed, next);
    for (const remark of config.remarks) this.log.warn(remark);
    this.config = config;
    this.log.notice(`Reloaded server configuration (${config.digest})`);
  }

  /** What INFO says of the options. */
  #announce(): void {
    const { maxPayload, clientAdvertise } = this.#options;
    const place = this.#listener?.address;
    const where = place === undefined ? {} : advertised(clientAdvertise, place.host, place.port);
    this.#info = { ...this.#info, max_payload: maxPayload, ...where };
  }

  /** There are more connections than may be: some of them go. */
  #closeExcess(maxConnections: number): void {
    const { sessions } = this.#broker;
    const excess = [...sessions.values()].slice(0, Math.max(0, sessions.size - maxConnections));
    for (const session of excess) session.fault(FAULTS.maxConnections, "maximum connections exceeded");
  }

  /** For what a runtime does once other options are applied, with those before. */
  protected afterReload(_before: ResolvedServerOptions): void {}

  /**
   * Lame duck mode, for a server that is to be replaced: takes no more connections, tells clients to go elsewhere, waits
   * `lameDuckGracePeriod`, and closes connections one after the other over the rest of `lameDuckDuration`; then the server closes.
   * Resolves when it has. A server without a listener has nobody to send away: it goes on as it is. {@link close} cuts it short.
   */
  async lameDuck(): Promise<void> {
    const open = this.#listener ?? this.#websocket;
    if (this.#closing !== undefined || open === undefined || this.#lameDuck !== undefined) return;
    const { clock, random } = this.#runtime;
    const { lameDuckDuration: duration, lameDuckGracePeriod: gracePeriod } = this.#options;
    const logger = this.log;
    logger.notice("Entering lame duck mode, stop accepting new clients");
    const sessions = (): Session[] => [...this.#broker.sessions.values()];
    const flush = (): void => this.#broker.flush();
    this.#lameDuck = new LameDuck({ clock, random, logger, duration, gracePeriod, sessions, flush });
    // It takes nobody from now on; that it has ended is for the close to wait for.
    void this.#listener?.close();
    void this.#websocket?.close();
    this.#events?.lameDuck();
    this.#broadcastInfo({ ...this.#info, ldm: true });
    await this.#lameDuck.run();
    await this.close();
  }

  /** Tells all clients that take it what has changed of the server. */
  #broadcastInfo(info: ServerInfo): void {
    for (const session of this.#broker.sessions.values()) session.informAgain(info);
    this.#broker.flush();
  }

  /**
   * Ends the server: takes no more connections, ends those it has once they have got what was on its way to them, and resolves when no
   * socket, port or timer of it is open. It takes 2 seconds at the most: clients that do not read are cut off then.
   * May be called again, also while it runs; never rejects.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.log.notice("Initiating Shutdown...");
    const listenerClosed = this.#listener?.close();
    const websocketClosed = this.#websocket?.close();
    this.#lameDuck?.stop();
    this.#events?.stop();
    this.#broker.flush();
    this.#tls?.rate?.stop();
    for (const connection of [...this.#directConnections]) connection.end("Server Shutdown");
    for (const connection of [...this.#byteConnections]) connection.close("Server Shutdown");
    if (this.#byteConnections.size > 0) {
      const timer = this.#runtime.clock.after(CLOSE_DEADLINE_MS, () => {
        for (const connection of [...this.#byteConnections]) connection.destroy();
      });
      await new Promise<void>((resolve) => {
        this.#allEnded = resolve;
        this.#checkEnded();
      });
      timer.cancel();
    }
    await Promise.all([listenerClosed, websocketClosed, this.#monitoring.close()]);
    this.#runtime.passwords.close();
    this.afterClosing();
    this.log.notice("Server Exiting..");
  }

  #checkEnded(): void {
    if (this.#byteConnections.size === 0) this.#allEnded?.();
  }

  /** The same as {@link close}: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The options with the defaults in place, for a reload. */
function settle(given: ServerOptions): ResolvedServerOptions {
  try {
    return resolveOptions(given);
  } catch (cause) {
    throw new ServerError("RELOAD_FAILED", (cause as Error).message, { cause });
  }
}

/** What the broker holds every connection to. */
function limitsOf(options: ResolvedServerOptions): BrokerLimits {
  const { maxConnections, maxPayload, maxControlLine, maxPending, maxSubscriptions, maxSubTokens } = options;
  const { noFastProducerStall, maxClosedClients } = options;
  return {
    maxConnections,
    maxPayload,
    maxControlLine,
    maxPending,
    maxSubscriptions,
    maxSubTokens,
    noFastProducerStall,
    maxClosedClients,
  };
}

/** What of the protocol is logged. */
function traceRules(options: ResolvedServerOptions): TraceRules {
  const { trace: on, traceVerbose: verbose, maxTracedMsgLen: maxMsgLen, traceHeaders: headersOnly } = options;
  return { on, verbose, maxMsgLen, headersOnly };
}

/** Where INFO says that clients find the server: where it listens, unless it is told to say something else. */
function advertised(
  advertise: string | undefined,
  host: string,
  port: number,
): { host: string; port: number } {
  if (advertise === undefined) return { host, port };
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(advertise);
  return match === null
    ? { host: advertise, port }
    : { host: match[1].replace(/^\[|\]$/g, ""), port: match[2] === undefined ? port : Number(match[2]) };
}
