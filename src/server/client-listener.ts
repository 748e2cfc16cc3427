import type { ByteLink } from "../seams/link.ts";
import type { ListenAddress, Listener } from "../seams/listener.ts";
import type { SwitchedLogger } from "../seams/logger.ts";
import type { Runtime } from "../seams/runtime.ts";
import type { SecurableLink } from "../seams/tls.ts";
import { listenFailed } from "./errors.ts";
import { type ListenerTls, openTls } from "./listener-tls.ts";
import type { ResolvedTls } from "./options/resolve-tls.ts";
import { hostPort } from "./reachable.ts";

/** What takes the connections that come in. */
export interface ClientAcceptor {
  accept(link: ByteLink): void;
  /** The same for a connection that may change to TLS. @param tls - undefined when TLS has ended since the listener was opened. */
  acceptSecurable(link: SecurableLink, tls: ListenerTls | undefined): void;
}

/** The listener for clients over TCP, with or without TLS. */
export class ClientListener {
  readonly #runtime: Runtime;
  readonly #log: SwitchedLogger;
  readonly #acceptor: ClientAcceptor;
  #listener: Listener | undefined;
  #tls: ListenerTls | undefined;
  /** Whether the listener's connections may change to TLS. */
  #securable = false;
  #reopening: Promise<Listener> | undefined;
  #closed = false;

  constructor(runtime: Runtime, log: SwitchedLogger, acceptor: ClientAcceptor) {
    this.#runtime = runtime;
    this.#log = log;
    this.#acceptor = acceptor;
  }

  /** Where it listens; undefined before it does. */
  get address(): ListenAddress | undefined {
    return this.#listener?.address;
  }

  /** TLS as it is now. */
  get tls(): ListenerTls | undefined {
    return this.#tls;
  }

  /**
   * Begins to listen.
   * @throws ServerError `LISTEN_FAILED`.
   */
  async open(listen: ListenAddress): Promise<void> {
    try {
      this.#listener = await this.#open(listen);
    } catch (cause) {
      const place = hostPort(listen);
      const why = (cause as Error).message;
      this.#log.fatal(`Error listening on port: ${place}, ${JSON.stringify(`listen tcp ${place}: ${why}`)}`);
      throw listenFailed("listen", listen, cause);
    }
  }

  #open(address: ListenAddress): Promise<Listener> {
    const { network } = this.#runtime;
    this.#securable = this.#tls !== undefined;
    const failed = (why: string): void => {
      const place = hostPort(this.address ?? address);
      this.#log.error(`Temporary Client Accept Error(accept tcp ${place}: ${why}), connections are lost`);
    };
    if (!this.#securable) return network.listen(address, (link) => this.#acceptor.accept(link), failed);
    return network.listenSecurable(
      address,
      (link) => this.#acceptor.acceptSecurable(link, this.#tls),
      failed,
    );
  }

  /**
   * Reads the TLS files anew; the function returned has connections from then on use them. Where TLS begins on an open listener,
   * {@link reopen} must follow.
   * @param tls - undefined to end TLS.
   * @throws ServerError `INVALID_OPTION` that says which file is wrong.
   */
  async prepareTls(tls: ResolvedTls | undefined, allowNonTls: boolean): Promise<() => void> {
    const opened =
      tls === undefined ? undefined : await openTls({ tls, allowNonTls }, this.#runtime, this.#log);
    return () => {
      this.#tls?.rate?.stop();
      this.#tls = opened;
    };
  }

  /** Opens the listener anew on its port if TLS has begun since it was opened. */
  async reopen(): Promise<void> {
    const listener = this.#listener;
    if (this.#tls === undefined || listener === undefined || this.#securable || this.#closed) return;
    void listener.close();
    this.#reopening = this.#open(listener.address);
    this.#listener = await this.#reopening;
  }

  /** Takes no more connections; resolves when the place is free again. */
  async close(): Promise<void> {
    this.#closed = true;
    const closing = this.#listener?.close();
    const reopened = await this.#reopening?.catch(() => undefined);
    await Promise.all([closing, reopened?.close()]);
  }

  /** Ends what TLS has running. */
  stopTls(): void {
    this.#tls?.rate?.stop();
  }
}
