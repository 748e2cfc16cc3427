import type { Account } from "../broker/account.ts";
import { Broker, type BrokerLimits } from "../broker/broker.ts";
import type { TraceRules } from "../broker/protocol-trace.ts";
import type { Session } from "../broker/session.ts";
import type { JetStream } from "../jetstream/jetstream.ts";
import type { ServerInfo } from "../protocol/info.ts";
import { Slab } from "../protocol/slab.ts";
import type { ListenAddress } from "../seams/listener.ts";
import { SILENT, SwitchedLogger } from "../seams/logger.ts";
import type { Port } from "../seams/port.ts";
import type { Runtime } from "../seams/runtime.ts";
import { limitsOf, traceRules } from "./broker-rules.ts";
import { ClientListener } from "./client-listener.ts";
import { Connections, type InProcessConn } from "./connections.ts";
import type { Endpoint } from "./endpoint.ts";
import { ServerError } from "./errors.ts";
import { adaptInfo, announced, initialInfo } from "./info.ts";
import { LameDuck } from "./lame-duck.ts";
import { tlsInfo } from "./listener-tls.ts";
import type { Monitoring } from "./monitor/monitoring.ts";
import type { MonitorState } from "./monitor/state.ts";
import { loadJetStream, loadMonitoring, loadReload, loadSystem, loadWebsocket } from "./on-demand.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";
import type { ResolvedTls } from "./options/resolve-tls.ts";
import type { ResolvedWebsocketOptions } from "./options/resolve-websocket.ts";
import type { JetStreamOptions, ServerOptions, TlsOptions } from "./options/types.ts";
import { hostPort, reachable } from "./reachable.ts";
import { newServerId } from "./server-id.ts";
import type { Settings } from "./settings.ts";
import { type ConfigFacts, logStart, logTls } from "./start-lines.ts";
import { type ServerStats, statsOf } from "./stats.ts";
import type { SystemParts } from "./system/parts.ts";
import { System } from "./system/system.ts";
import type { WebsocketListener } from "./websocket/listener.ts";

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
  readonly #connections: Connections;
  /** The configuration file, as it was read last. */
  protected config: ConfigFacts | undefined;
  /** Where log lines go. */
  protected readonly log: SwitchedLogger;
  /** Whether passwords are in the options as they are. */
  #plaintext = false;
  readonly #startedAt: number;
  /** Made when monitoring is served, or asked for in the system account. */
  #monitoring: Monitoring | undefined;
  readonly #system: System | undefined;
  readonly #listener: ClientListener;
  #websocket: WebsocketListener | undefined;
  #jetstream: JetStream | undefined;
  #info: ServerInfo;
  #closing: Promise<void> | undefined;
  #lameDuck: LameDuck | undefined;

  /** Use `NatsServer.start`, which also opens the listener. */
  constructor(settings: Settings, runtime: Runtime) {
    this.#options = settings.options;
    this.#runtime = runtime;
    this.#id = newServerId(runtime.random);
    this.#limits = limitsOf(this.#options);
    this.log = new SwitchedLogger(this.#options.logger, this.#options.debug, this.#options.trace);
    this.#info = initialInfo(this.#options, this.#id, runtime.platform);
    this.#traceRules = traceRules(this.#options);
    this.#broker = new Broker({
      slab: new Slab(),
      clock: runtime.clock,
      random: runtime.random,
      tasks: runtime.tasks,
      logger: this.log,
      limits: this.#limits,
      trace: this.#traceRules,
      systemAccount: this.#options.systemAccount,
      noSublistCache: this.#options.noSublistCache,
      info: () => this.#info,
      adaptInfo: (info, type) =>
        adaptInfo(info, type, this.#websocket, this.#broker.authenticator?.asks(type)),
    });
    if (settings.applyAccounts !== undefined) this.#authorize(settings.applyAccounts);
    this.#connections = new Connections(this.#broker, {
      options: () => this.#options,
      closing: () => this.#closing !== undefined,
    });
    this.#listener = new ClientListener(runtime, this.log, this.#connections);
    this.#startedAt = runtime.clock.now();
    this.#system = System.serve(this.#broker, (account) => this.#systemParts(account));
  }

  /** Monitoring, made when it is needed first. */
  async #watch(): Promise<Monitoring> {
    const { Monitoring } = await loadMonitoring();
    this.#monitoring ??= new Monitoring(this.#runtime, this.#broker, {
      log: this.log,
      startedAt: this.#startedAt,
      options: () => this.#options,
      tls: () => this.#listener.tls,
      websocket: () => this.#websocket,
      info: () => this.#info,
      jetstream: () => this.#jetstream,
      ready: () => this.#closing === undefined,
      config: () => this.config,
    });
    return this.#monitoring;
  }

  async #systemParts(account: Account): Promise<SystemParts> {
    const [{ systemParts }, { state }] = await Promise.all([loadSystem(), this.#watch()]);
    return systemParts(account, state, this.#runtime, () => this.reload());
  }

  /** Makes accounts and users what the options say. */
  #authorize(applyAccounts: NonNullable<Settings["applyAccounts"]>): void {
    const authorization = applyAccounts(this.#broker, this.#options, this.#runtime);
    this.#info = { ...this.#info, auth_required: authorization?.asks("STANDARD") || undefined };
    this.#plaintext = authorization?.hasPlaintext ?? false;
  }

  /** The options, with the defaults in place. */
  protected get options(): ResolvedServerOptions {
    return this.#options;
  }

  /**
   * Opens the listener that the options ask for, if any. The lines it logs are nats-server's: tools look for them.
   * @throws ServerError `LISTEN_FAILED`, `FILE_FAILED` or `STORAGE_FAILED`.
   */
  protected async open(): Promise<void> {
    const { tls, allowNonTls, jetstream, http, https, websocket, listen } = this.#options;
    if (tls !== undefined) await this.replaceTls(tls, allowNonTls);
    // Most embedded servers say nothing: they should not have to put it into words.
    if (this.log.to !== SILENT) this.#logStart();
    try {
      if (jetstream !== undefined) await this.#startJetStream(jetstream, this.#options);
      this.beforeListening();
      if (http !== undefined || https !== undefined) await (await this.#watch()).open();
      if (websocket !== undefined) await this.#openWebsocket(websocket);
      if (listen !== undefined) await this.#listen(listen);
    } catch (error) {
      await this.#closeAs(() => this.#release());
      throw error;
    }
    this.afterListening();
    this.#monitoring?.begin();
    if (this.log.to !== SILENT) this.log.notice("Server is ready");
  }

  #logStart(): void {
    const { version, platform } = this.#runtime;
    logStart(this.log, {
      version,
      platform,
      name: this.name,
      id: this.#id,
      plaintext: this.#plaintext,
      options: this.#options,
      config: this.config,
    });
  }

  /** For what a runtime must load before options can be applied. */
  protected prepare(_options: ResolvedServerOptions): Promise<void> | void {}

  async #startJetStream(jetstream: JetStreamOptions, options: ResolvedServerOptions): Promise<void> {
    const { startJetStream } = await loadJetStream();
    this.#jetstream = await startJetStream(this.#broker, this.#runtime, {
      name: this.name,
      log: this.log,
      options,
      storeDir: this.storeDirOf(jetstream),
    });
  }

  /** The folder that JetStream's is in; undefined keeps everything in memory. */
  protected storeDirOf({ storeDir }: JetStreamOptions): string | undefined {
    return storeDir;
  }

  /** For what a runtime does before the first listener is opened. */
  protected beforeListening(): void {}

  /** For what a runtime does once all listeners are open. */
  protected afterListening(): void {}

  /** For what a runtime does once all is closed. */
  protected afterClosing(): void {}

  async #listen(listen: ListenAddress): Promise<void> {
    await this.#listener.open(listen);
    this.#announce();
    this.log.notice(`Listening for client connections on ${hostPort(this.#listener.address ?? listen)}`);
    logTls(this.log, this.#options);
  }

  /** Logs as the options given say, also of the connections that there are. */
  protected applyLogging(options: ResolvedServerOptions): void {
    this.log.debugOn = options.debug;
    this.log.traceOn = options.trace;
    Object.assign(this.#traceRules, traceRules(options));
    this.#broker.applyTrace();
  }

  async #openWebsocket(websocket: ResolvedWebsocketOptions): Promise<void> {
    const { WebsocketListener } = await loadWebsocket();
    const listener = new WebsocketListener(websocket, {
      network: this.#runtime.network,
      log: this.log,
      maxPayload: () => this.#limits.maxPayload,
      accept: (link, { credentials, forwardedFor }, tls) => {
        const { pingInterval } = websocket;
        this.#connections.accept(link, { type: "WEBSOCKET", credentials, forwardedFor, tls, pingInterval });
      },
    });
    await listener.open();
    this.#websocket = listener;
  }

  /** The places where the server takes connections, as they are now. */
  protected endpoints(): Endpoint[] {
    const { address } = this.#listener;
    const clients: Endpoint[] =
      address === undefined
        ? []
        : [{ kind: "nats", scheme: this.#info.tls_required ? "tls" : "nats", ...address }];
    const { address: websocket, scheme = "ws" } = this.#websocket ?? {};
    const monitoring = this.#monitoring?.endpoints() ?? [];
    return [
      ...clients,
      ...(websocket === undefined ? [] : [{ kind: "websocket" as const, scheme, ...websocket }]),
      ...monitoring.map((each) => ({ kind: "monitoring" as const, ...each })),
    ];
  }

  /** Opens the log file anew: for whoever has moved it away. Only for a server that writes one (`logFile`). */
  reopenLog(): void {
    // Of a server that is closed the log is closed, too.
    if (!this.closed) this.log.reopen();
  }

  /**
   * Reads the TLS files anew: connections from now on use them, and the settings given.
   * @throws ServerError `INVALID_OPTION` that says which file is wrong.
   */
  protected async replaceTls(tls: ResolvedTls | undefined, allowNonTls: boolean): Promise<void> {
    (await this.#listener.prepareTls(tls, allowNonTls))();
    await this.#tlsReplaced();
  }

  /** The same for the WebSocket listener, where TLS can neither begin nor end. */
  protected async replaceWebsocketTls(tls: TlsOptions): Promise<void> {
    (await this.#websocket?.prepareTls(tls))?.();
  }

  /** The certificates for clients are others; TLS may also have begun or ended. Where it has begun, the listener is opened anew. */
  async #tlsReplaced(): Promise<void> {
    this.#info = { ...this.#info, ...tlsInfo(this.#listener.tls) };
    await this.#monitoring?.renewTls();
    await this.#listener.reopen();
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
    return this.#listener.address?.port;
  }

  /** The URL that clients on this machine connect to, such as "nats://127.0.0.1:4222"; undefined without a listener. */
  get clientUrl(): string | undefined {
    const { address } = this.#listener;
    return address && `nats://${reachable(address)}`;
  }

  /** The URL of monitoring for programs on this machine, such as "http://127.0.0.1:8222"; undefined where there is none. */
  get monitorUrl(): string | undefined {
    return this.#monitoring?.url;
  }

  /** What the views of monitoring read (src/server/monitor/). */
  protected async monitorState(): Promise<MonitorState> {
    return (await this.#watch()).state;
  }

  /** The URL that clients on this machine connect to over WebSocket, such as "ws://127.0.0.1:8080"; undefined without such a listener. */
  get websocketUrl(): string | undefined {
    return this.#websocket?.url;
  }

  /** Numbers about the server, as they are now. */
  stats(): ServerStats {
    return statsOf(this.#broker);
  }

  /**
   * A connection that needs no socket: give the server to `connect({ inProcessServer: server })`, which calls this.
   * @throws ServerError `SERVER_CLOSED`.
   */
  inProcessConn(): InProcessConn {
    return this.#connections.inProcess();
  }

  /**
   * A port for a worker thread: pass it to the worker (it must be transferred), and `connect({ messagePort })` there. The server
   * gives up the connection when the port is closed.
   * @throws ServerError `SERVER_CLOSED`.
   */
  messagePort(): Port {
    const conn = this.#connections.inProcess();
    const [near, far] = this.#runtime.portPair();
    conn.accept(this.#runtime.portLink(near));
    return far;
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
    const { planReload } = await loadReload();
    this.#checkReload();
    const plan = planReload(this.#options, given);
    const { changed } = plan;
    const next = plan.next.options;
    const secure = next.tls !== undefined || this.#listener.tls !== undefined;
    const { tls } = given.websocket ?? {};
    try {
      // What can fail comes before what cannot.
      const useTls = secure ? await this.#listener.prepareTls(next.tls, next.allowNonTls) : undefined;
      const useWebsocketTls = tls && (await this.#websocket?.prepareTls(tls));
      await this.prepare(next);
      this.#checkReload();
      this.applyLogging(next);
      useTls?.();
      useWebsocketTls?.();
      if (secure) await this.#tlsReplaced();
      this.#checkReload();
      if (next.jetstream !== undefined && this.#jetstream === undefined)
        await this.#startJetStream(next.jetstream, next);
      this.#checkReload();
    } catch (cause) {
      if (cause instanceof ServerError && cause.code === "RELOAD_FAILED") throw cause;
      throw new ServerError("RELOAD_FAILED", (cause as Error).message, { cause });
    }
    const before = this.#options;
    this.#options = next;
    Object.assign(this.#limits, limitsOf(next));
    plan.logTo(this.log);
    if (plan.next.applyAccounts !== undefined) this.#authorize(plan.next.applyAccounts);
    await this.#reloadJetStream(next);
    this.#checkReload();
    this.#announce();
    for (const session of [...this.#broker.sessions.values()]) session.reconsider();
    this.#connections.closeExcess();
    if (changed.includes("maxPayload") || changed.includes("clientAdvertise"))
      this.#connections.inform(this.#info);
    this.#broker.flush();
    this.afterReload(before);
    for (const remark of config.remarks) this.log.warn(remark);
    this.config = config;
    this.log.notice(`Reloaded server configuration (${config.digest})`);
  }

  /** Makes of JetStream what other options say; where it has ended it may begin again by others. */
  async #reloadJetStream(options: ResolvedServerOptions): Promise<void> {
    const jetstream = this.#jetstream;
    if (jetstream === undefined) return;
    await (await loadJetStream()).reloadJetStream(jetstream, options, this.log);
    if (options.jetstream === undefined) this.#jetstream = undefined;
  }

  /** A server that has been closed stays as it is. */
  #checkReload(): void {
    if (this.#closing !== undefined) throw new ServerError("RELOAD_FAILED", "the server is closed");
  }

  /** What INFO says of the options. */
  #announce(): void {
    this.#info = { ...this.#info, ...announced(this.#options, this.#listener.address) };
  }

  /** For what a runtime does once other options are applied, with those before. */
  protected afterReload(_before: ResolvedServerOptions): void {}

  /**
   * Lame duck mode, for a server that is to be replaced: takes no more connections, tells clients to go elsewhere, waits
   * `lameDuckGracePeriod`, and closes connections one after the other over the rest of `lameDuckDuration`; then the server closes.
   * Resolves when it has. A server without a listener has nobody to send away: it goes on as it is. {@link close} cuts it short.
   */
  async lameDuck(): Promise<void> {
    const open = this.#listener.address ?? this.#websocket;
    if (this.#closing !== undefined || open === undefined || this.#lameDuck !== undefined) return;
    const { clock, random } = this.#runtime;
    const { lameDuckDuration: duration, lameDuckGracePeriod: gracePeriod } = this.#options;
    const logger = this.log;
    logger.notice("Entering lame duck mode, stop accepting new clients");
    const sessions = (): Session[] => [...this.#broker.sessions.values()];
    const flush = (): void => this.#broker.flush();
    this.#lameDuck = new LameDuck({ clock, random, logger, duration, gracePeriod, sessions, flush });
    // It takes nobody from now on; that it has ended is for the close to wait for.
    void this.#listener.close();
    void this.#websocket?.close();
    this.#system?.lameDuck();
    this.#connections.inform({ ...this.#info, ldm: true });
    await this.#lameDuck.run();
    await this.close();
  }

  /**
   * Ends the server: takes no more connections, ends those it has once they have got what was on its way to them, and resolves when no
   * socket, port or timer of it is open. It takes 2 seconds at the most: clients that do not read are cut off then.
   * May be called again, also while it runs; never rejects.
   */
  close(): Promise<void> {
    return this.#closing ?? this.#closeAs(() => this.#close());
  }

  /** What the end calls, such as programs that hear of it, finds that it has begun. */
  #closeAs(end: () => Promise<void>): Promise<void> {
    let begun: (ended: Promise<void>) => void = () => {};
    this.#closing = new Promise((resolve) => {
      begun = resolve;
    });
    begun(end());
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.log.notice("Initiating Shutdown...");
    await this.#release();
    this.afterClosing();
    this.log.notice("Server Exiting..");
  }

  /** Ends all that there is, whatever there is of it. */
  async #release(): Promise<void> {
    const listenerClosed = this.#listener.close();
    const websocketClosed = this.#websocket?.close();
    this.#lameDuck?.stop();
    const unsettled = this.#system?.settled;
    if (unsettled !== undefined) await unsettled;
    this.#system?.stop();
    this.#broker.flush();
    this.#listener.stopTls();
    // Publishers still hear of what is stored, and clients of consumers that there is no more.
    this.#jetstream?.shutDown();
    await this.#jetstream?.close();
    await this.#connections.end();
    await Promise.all([listenerClosed, websocketClosed, this.#monitoring?.close()]);
    this.#runtime.passwords.close();
  }

  /** The same as {@link close}: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
