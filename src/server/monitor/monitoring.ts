import type { Broker } from "../../broker/broker.ts";
import type { ServerInfo } from "../../protocol/info.ts";
import type { Listener } from "../../seams/listener.ts";
import type { SwitchedLogger } from "../../seams/logger.ts";
import type { Runtime } from "../../seams/runtime.ts";
import { listenFailed } from "../errors.ts";
import type { ResolvedServerOptions } from "../options/resolve.ts";
import { hostPort, reachable } from "../reachable.ts";
import { Monitor } from "./monitor.ts";
import type { MonitorState } from "./state.ts";

/** What monitoring asks the server. */
export interface MonitoredServer {
  readonly log: SwitchedLogger;
  options(): ResolvedServerOptions;
  info(): ServerInfo;
  /** Whether it takes connections. */
  ready(): boolean;
}

/** Monitoring of a server: what its views read, and the listener over which they are served, if the options ask for one. */
export class Monitoring {
  readonly state: MonitorState;
  readonly #runtime: Runtime;
  readonly #server: MonitoredServer;
  readonly #monitor: Monitor;
  #http: Listener | undefined;

  constructor(runtime: Runtime, broker: Broker, server: MonitoredServer) {
    this.#runtime = runtime;
    this.#server = server;
    const requests = new Map<string, number>();
    const startedAt = runtime.clock.now();
    const http = () => this.#http?.address;
    this.state = {
      broker,
      clock: runtime.clock,
      host: runtime.host,
      log: server.log,
      get options() {
        return server.options();
      },
      get info() {
        return server.info();
      },
      startedAt,
      configLoadedAt: startedAt,
      configDigest: "",
      systemAccount: broker.systemAccount?.name,
      get http() {
        return http();
      },
      https: undefined,
      requests,
      get ready() {
        return server.ready();
      },
    };
    this.#monitor = new Monitor(this.state, server.options().httpBasePath, (path) =>
      requests.set(path, (requests.get(path) ?? 0) + 1),
    );
  }

  /**
   * Opens the listener.
   * @throws ServerError `LISTEN_FAILED`.
   */
  async open(): Promise<void> {
    const { http } = this.#server.options();
    if (http === undefined) return;
    const { log } = this.#server;
    try {
      this.#http = await this.#runtime.network.listenHttp(http, (request) => this.#monitor.answer(request));
    } catch (cause) {
      const why = `can't listen to the monitor port: listen tcp ${hostPort(http)}: ${(cause as Error).message}`;
      log.fatal(`Can't start monitoring: ${why}`);
      throw listenFailed("http", http, cause);
    }
    log.notice(`Starting http monitor on ${hostPort({ host: http.host, port: this.#http.address.port })}`);
  }

  /** Where monitoring is served. */
  endpoints(): { scheme: string; host: string; port: number }[] {
    return this.#http === undefined ? [] : [{ scheme: "http", ...this.#http.address }];
  }

  /** The URL for programs on this machine; undefined when nothing is served. */
  get url(): string | undefined {
    if (this.#http === undefined) return undefined;
    return `http://${reachable(this.#http.address)}${this.#server.options().httpBasePath}`;
  }

  /** Closes the listener, and the connections to it. */
  async close(): Promise<void> {
    await this.#http?.close();
  }
}
