import type { HttpHandler } from "./http.ts";
import type { ByteLink } from "./link.ts";
import type { SecurableLink, TlsConfig, TlsContext } from "./tls.ts";
import type { Upgrade, WebsocketHandler, WebsocketSettings } from "./websocket.ts";

/** Where to listen: nats-server's `host` and `port`. */
export interface ListenAddress {
  /** An address or name of this machine; "0.0.0.0" for all. */
  readonly host: string;
  /** A port number; 0 for a free one. */
  readonly port: number;
}

/** A place where connections come in. */
export interface Listener {
  /** The address in use: with the port that was chosen, if any was left to choose. */
  readonly address: ListenAddress;
  /** Takes no more connections; resolves when the place is free again. Those that were taken stay. */
  close(): Promise<void>;
}

/** Opens listeners. */
export interface Network {
  /**
   * Begins to listen, and calls `accept` for every connection.
   * @param failed - told why connections that come are lost, where the system tells: "accept4: too many open files".
   * @throws an error whose message says what is wrong with the address (in use, not ours, not allowed).
   */
  listen(
    address: ListenAddress,
    accept: (link: ByteLink) => void,
    failed?: (why: string) => void,
  ): Promise<Listener>;
  /**
   * Begins to listen for HTTP, and has `handler` answer every request. Closing it also ends the connections.
   * @throws an error whose message says what is wrong with the address.
   */
  listenHttp(address: ListenAddress, handler: HttpHandler): Promise<Listener>;
  /** The same over TLS. `context` is asked for with every connection, so that another may take its place. */
  listenHttps(address: ListenAddress, handler: HttpHandler, context: () => TlsContext): Promise<Listener>;
  /** The same as {@link listen}, for connections that may change to TLS. */
  listenSecurable(
    address: ListenAddress,
    accept: (link: SecurableLink) => void,
    failed?: (why: string) => void,
  ): Promise<Listener>;
  /**
   * Begins to listen for HTTP requests that want to become WebSockets. Closing it also ends those that have not.
   * @throws an error whose message says what is wrong with the address.
   */
  listenWebsocket<U extends Upgrade>(
    address: ListenAddress,
    settings: WebsocketSettings,
    handler: WebsocketHandler<U>,
  ): Promise<Listener>;
  /**
   * Reads the files of a TLS configuration.
   * @throws an error whose message says which file is wrong, and why.
   */
  readTls(config: TlsConfig): Promise<TlsContext>;
}
