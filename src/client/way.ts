import type { Timer } from "../seams/clock.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import type { Connector } from "./connector.ts";
import { errors, type Server } from "./core.ts";
import { factsOf, IN_PROCESS, serverNamed } from "./known-server.ts";
import type { loadConnector } from "./on-demand.ts";
import type { Settings } from "./options.ts";
import type { ServerPool } from "./server-pool.ts";
import type { ClientSession } from "./session.ts";

/** How a connection comes to a server: to one in this program by calls, to any other by a {@link Connector}, which is loaded for it. */
export class Way {
  readonly #settings: Settings;
  readonly #runtime: ClientRuntime;
  readonly #session: ClientSession;
  readonly #load: typeof loadConnector;
  /** Undefined as long as the connection is in process and was never lost. */
  #connector: Connector | undefined;
  /** When a server in this program was greeted, in ms since the epoch. */
  #greetedAt = 0;

  constructor(
    settings: Settings,
    runtime: ClientRuntime,
    session: ClientSession,
    load: typeof loadConnector,
  ) {
    this.#settings = settings;
    this.#runtime = runtime;
    this.#session = session;
    this.#load = load;
  }

  /** How the server is named. */
  get name(): string {
    return this.#connector === undefined ? IN_PROCESS : (this.#connector.pool.current?.listen ?? "");
  }

  /** What is known of all servers. */
  get servers(): Server[] {
    return this.#connector?.pool.snapshot() ?? [factsOf({ ...serverNamed(IN_PROCESS), didConnect: true })];
  }

  /** @throws errors.InvalidArgumentError, errors.InvalidOperationError (a connection that is not over the network) */
  setServers(servers: string[]): void {
    const { inProcessServer, messagePort } = this.#settings;
    if (inProcessServer !== undefined || messagePort !== undefined) {
      throw new errors.InvalidOperationError("this connection has one server");
    }
    this.#connector?.pool.replace(servers);
  }

  /** The server has told which others there are. */
  discover(urls: readonly string[]): void {
    this.#connector?.discover(urls);
  }

  /** The first connection. Resolves once a server has accepted the client; rejects with why none has. */
  begin(): Promise<void> {
    const { inProcessServer, waitOnFirstConnect, reconnectToServer } = this.#settings;
    const simple = inProcessServer !== undefined && !waitOnFirstConnect && reconnectToServer === undefined;
    return simple ? this.#greetHere() : this.#find(false);
  }

  /** There is nothing to find, nor to load. */
  async #greetHere(): Promise<void> {
    const session = this.#session;
    const { clock, tasks } = this.#runtime;
    let timer: Timer | undefined;
    let over = false;
    this.#greetedAt = clock.now();
    const attempt = session.attempt((begun) => session.greetHere(begun));
    // Most answers have come by then, and need no timer.
    tasks.soon(() => {
      if (over || session.isConnected) return;
      timer = clock.after(this.#settings.timeout, () => session.giveUp(() => new errors.TimeoutError()));
    });
    try {
      await attempt;
    } finally {
      over = true;
      timer?.cancel();
    }
  }

  async #find(atOnce: boolean): Promise<void> {
    if (this.#connector === undefined) {
      const { Connector } = await this.#load();
      if (this.#session.isClosed) return;
      this.#connector = new Connector(this.#settings, this.#runtime, this.#session);
      if (this.#greetedAt > 0) this.#remember(this.#connector.pool);
    }
    await this.#connector.run(atOnce);
  }

  /** The server in this program was connected to without the connector. */
  #remember(pool: ServerPool): void {
    const [here] = pool.servers;
    here.lastConnect = this.#greetedAt;
    here.didConnect = true;
    pool.choose(here);
  }

  /** Whether there may be another link when one is lost. */
  get comesBack(): boolean {
    const { messagePort, reconnect } = this.#settings;
    const hasLostItsPort = messagePort !== undefined && typeof messagePort !== "function";
    return reconnect && !hasLostItsPort;
  }

  /** Another link, or the end of the session. @param atOnce - see {@link Connector.run}. */
  again(atOnce: boolean): void {
    this.#find(atOnce).catch((failure) => this.#session.finish(failure));
  }

  /** The connection is closed. */
  stop(): void {
    this.#connector?.stop();
  }
}
