import type { Broker } from "../broker/broker.ts";
import { BufferPool } from "../protocol/buffer-pool.ts";
import { FAULTS } from "../protocol/faults.ts";
import type { ServerInfo } from "../protocol/info.ts";
import type { ByteLink, VerbLink, VerbLinkClient, VerbLinkServer } from "../seams/link.ts";
import type { SecurableLink } from "../seams/tls.ts";
import { ByteConnection, type ConnectionContext, type ConnectionEntry } from "./byte-connection.ts";
import { DirectConnection } from "./direct-connection.ts";
import { ServerError } from "./errors.ts";
import { InputTurns } from "./input-turns.ts";
import type { ListenerTls } from "./listener-tls.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";

/** How long (ms) {@link Connections.end} waits for clients to read their last bytes before it cuts them off. */
const CLOSE_DEADLINE_MS = 2_000;

const STANDARD: ConnectionEntry = { type: "STANDARD" };
const IN_PROCESS: ConnectionEntry = { type: "IN_PROCESS" };

/** One connection in process that has not been opened yet: as calls, or as bytes. */
export interface InProcessConn extends VerbLink {
  /**
   * Takes the server's end of a link of bytes, as if a client had connected over a socket: for clients that speak the
   * wire protocol.
   * @throws ServerError `SERVER_CLOSED`.
   */
  accept(link: ByteLink): void;
}

/** What {@link Connections} ask their server. */
export interface ConnectionsHost {
  options(): ResolvedServerOptions;
  /** Whether it takes no more connections. */
  closing(): boolean;
}

/** The connections that a server has, over bytes and over calls, from when they come in to when they have ended. */
export class Connections {
  readonly #broker: Broker;
  readonly #host: ConnectionsHost;
  readonly #context: ConnectionContext;
  readonly #overBytes = new Set<ByteConnection>();
  readonly #direct = new Set<DirectConnection>();
  #allEnded: (() => void) | undefined;

  constructor(broker: Broker, host: ConnectionsHost) {
    this.#broker = broker;
    this.#host = host;
    this.#context = {
      broker,
      pool: new BufferPool(),
      slab: broker.context.slab,
      turns: new InputTurns(broker.context.clock, broker.context.tasks),
      get options() {
        return host.options();
      },
      ended: (connection) => {
        this.#overBytes.delete(connection);
        this.#checkEnded();
      },
    };
  }

  /** A client has come in over a link of bytes. @param entry - how, where it was not over the listener for clients. */
  accept(link: ByteLink, entry = STANDARD): void {
    this.#admit(link, entry)?.open();
  }

  /** A client has come in over a listener that has TLS, or had it: `tls` is what that is now. */
  acceptSecurable(link: SecurableLink, tls: ListenerTls | undefined): void {
    const connection = this.#admit(link, STANDARD);
    if (tls === undefined) connection?.open();
    else connection?.openSecurable(link, tls);
  }

  #admit(link: ByteLink, entry: ConnectionEntry): ByteConnection | undefined {
    if (this.#host.closing()) {
      link.destroy();
      return undefined;
    }
    const connection = new ByteConnection(this.#context, link, entry);
    this.#overBytes.add(connection);
    return connection;
  }

  /**
   * A connection for a client in this program.
   * @throws ServerError `SERVER_CLOSED`.
   */
  inProcess(): InProcessConn {
    this.#checkOpen();
    return {
      open: (client) => this.#openDirect(client),
      accept: (link) => {
        this.#checkOpen();
        this.accept(link, IN_PROCESS);
      },
    };
  }

  #openDirect(client: VerbLinkClient): VerbLinkServer {
    this.#checkOpen();
    if (this.#broker.sessions.size >= this.#broker.context.limits.maxConnections) {
      throw new ServerError("CONNECTION_REFUSED", "maximum connections exceeded", {
        option: "maxConnections",
      });
    }
    const connection = new DirectConnection(
      this.#broker,
      this.#context.slab,
      client,
      this.#context.options.writeDeadline,
      (ended) => this.#direct.delete(ended),
    );
    this.#direct.add(connection);
    connection.open();
    return connection;
  }

  #checkOpen(): void {
    if (this.#host.closing()) throw new ServerError("SERVER_CLOSED", "the server is closed");
  }

  /** Tells all clients that take it what has changed of the server. */
  inform(info: ServerInfo): void {
    for (const session of this.#broker.sessions.values()) session.informAgain(info);
    this.#broker.flush();
  }

  /** There may be more connections than are allowed now: then some of them go. */
  closeExcess(): void {
    const { sessions, context } = this.#broker;
    const excess = Math.max(0, sessions.size - context.limits.maxConnections);
    for (const session of [...sessions.values()].slice(0, excess))
      session.fault(FAULTS.maxConnections, "maximum connections exceeded");
  }

  /**
   * Ends them all once they have got what was on its way to them; resolves when none is left. It takes 2 seconds at the most: clients
   * that do not read are cut off then.
   */
  async end(): Promise<void> {
    for (const connection of [...this.#direct]) connection.end("Server Shutdown");
    for (const connection of [...this.#overBytes]) connection.close("Server Shutdown");
    if (this.#overBytes.size === 0) return;
    const timer = this.#broker.context.clock.after(CLOSE_DEADLINE_MS, () => {
      for (const connection of [...this.#overBytes]) connection.destroy();
    });
    await new Promise<void>((resolve) => {
      this.#allEnded = resolve;
      this.#checkEnded();
    });
    timer.cancel();
  }

  #checkEnded(): void {
    if (this.#overBytes.size === 0) this.#allEnded?.();
  }
}
