import type { Broker } from "../../broker/broker.ts";
import type { JetStream } from "../../jetstream/jetstream.ts";
import type { ServerInfo } from "../../protocol/info.ts";
import type { HttpHandler } from "../../seams/http.ts";
import type { ListenAddress, Listener } from "../../seams/listener.ts";
import type { SwitchedLogger } from "../../seams/logger.ts";
import type { Runtime } from "../../seams/runtime.ts";
import type { TlsContext } from "../../seams/tls.ts";
import { listenFailed } from "../errors.ts";
import { type ListenerTls, readTls } from "../listener-tls.ts";
import { loadMonitor } from "../on-demand.ts";
import type { ResolvedServerOptions } from "../options/resolve.ts";
import { hostPort, reachable } from "../reachable.ts";
import type { ConfigFacts } from "../start-lines.ts";
import type { MonitorState, WebsocketAddress } from "./state.ts";

/** What monitoring asks the server. */
export interface MonitoredServer {
  readonly log: SwitchedLogger;
  /** When it was made, in ms since the epoch. */
  readonly startedAt: number;
  options(): ResolvedServerOptions;
  info(): ServerInfo;
  /** The listener for clients over WebSocket. */
  websocket(): WebsocketAddress | undefined;
  /** TLS of the listener for clients. */
  tls(): ListenerTls | undefined;
  /** JetStream; undefined where it is off. */
  jetstream(): JetStream | undefined;
  /** Whether it takes connections. */
  ready(): boolean;
  /** Its configuration file, if it has one. */
  config(): ConfigFacts | undefined;
}

/** Monitoring of a server: what its views read, and the listener over which they are served, if the options ask for one. */
export class Monitoring {
  readonly #runtime: Runtime;
  readonly #broker: Broker;
  readonly #server: MonitoredServer;
  /** How often each path was asked for. */
  readonly #requests = new Map<string, number>();
  /** What views read. */
  readonly state: MonitorState;
  #listener: Listener | undefined;
  #scheme: "http" | "https" = "http";
  /** That of clients, but asks for no certificates. */
  #tls: TlsContext | undefined;
  /** Resolves when clients can connect; undefined from then on. */
  #opening: Promise<void> | undefined;
  #opened: () => void = () => {};

  constructor(runtime: Runtime, broker: Broker, server: MonitoredServer) {
    this.#runtime = runtime;
    this.#broker = broker;
    this.#server = server;
    this.state = this.#makeState();
  }

  #makeState(): MonitorState {
    const broker = this.#broker;
    const server = this.#server;
    const { startedAt } = server;
    const http = () => (this.#scheme === "http" ? this.#listener?.address : undefined);
    const https = () => (this.#scheme === "https" ? this.#listener?.address : undefined);
    return {
      broker,
      clock: this.#runtime.clock,
      tasks: this.#runtime.tasks,
      host: this.#runtime.host,
      log: server.log,
      get options() {
        return server.options();
      },
      get info() {
        return server.info();
      },
      startedAt,
      get configLoadedAt() {
        return server.config()?.loadedAt ?? startedAt;
      },
      get configDigest() {
        return server.config()?.digest ?? "";
      },
      systemAccount: broker.systemAccount?.name,
      get http() {
        return http();
      },
      get https() {
        return https();
      },
      get websocket() {
        return server.websocket();
      },
      get tlsNotAfter() {
        return server.tls()?.context.notAfter;
      },
      requests: this.#requests,
      get jetstream() {
        return server.jetstream();
      },
      get ready() {
        return server.ready();
      },
    };
  }

  /**
   * Opens the listener. Who asks is answered once {@link begin} is called.
   * @throws ServerError `LISTEN_FAILED`.
   */
  async open(): Promise<void> {
    const { http, https } = this.#server.options();
    const wanted = http ?? https;
    if (wanted === undefined) return;
    this.#scheme = http === undefined ? "https" : "http";
    const { log } = this.#server;
    try {
      this.#listener = await this.#listen(wanted);
    } catch (cause) {
      const why = `can't listen to the monitor port: listen tcp ${hostPort(wanted)}: ${(cause as Error).message}`;
      log.fatal(`Can't start monitoring: ${why}`);
      throw listenFailed(this.#scheme, wanted, cause);
    }
    const { port } = this.#listener.address;
    log.notice(`Starting ${this.#scheme} monitor on ${hostPort({ host: wanted.host, port })}`);
  }

  async #listen(address: ListenAddress): Promise<Listener> {
    const { Monitor } = await loadMonitor();
    const { network } = this.#runtime;
    const requests = this.#requests;
    const monitor = new Monitor(this.state, this.#server.options().httpBasePath, (path) =>
      requests.set(path, (requests.get(path) ?? 0) + 1),
    );
    this.#opening = new Promise((resolve) => {
      this.#opened = resolve;
    });
    const answer: HttpHandler = async (request) => {
      await this.#opening;
      return monitor.answer(request);
    };
    if (this.#scheme === "http") return network.listenHttp(address, answer);
    await this.renewTls();
    return network.listenHttps(address, answer, () => this.#tls!);
  }

  /** Clients can connect: whoever waits for an answer before connecting may have it. */
  begin(): void {
    this.#opened();
    this.#opening = undefined;
  }

  /**
   * Takes over the certificates of the listener for clients, where monitoring is served over HTTPS.
   * @throws ServerError `INVALID_OPTION` that says which file is wrong.
   */
  async renewTls(): Promise<void> {
    const tls = this.#server.tls();
    if (this.#scheme !== "https" || tls === undefined) return;
    const { config } = tls.settings;
    this.#tls = config.verify
      ? await readTls(this.#runtime.network, { ...tls.settings, config: { ...config, verify: false } }, "tls")
      : tls.context;
  }

  /** Where monitoring is served. */
  endpoints(): { scheme: string; host: string; port: number }[] {
    return this.#listener === undefined ? [] : [{ scheme: this.#scheme, ...this.#listener.address }];
  }

  /** The URL for programs on this machine; undefined when nothing is served. */
  get url(): string | undefined {
    if (this.#listener === undefined) return undefined;
    return `${this.#scheme}://${reachable(this.#listener.address)}${this.#server.options().httpBasePath}`;
  }

  /** Closes the listener, and the connections to it. */
  async close(): Promise<void> {
    await this.#listener?.close();
  }
}
