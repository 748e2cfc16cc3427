import type { ByteLink } from "./link.ts";
import type { TlsContext, TlsFacts } from "./tls.ts";

/** An HTTP request to the WebSocket listener. */
export interface UpgradeRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  /** Whether it came through TLS. */
  readonly secure: boolean;
  /** The values of a header, one for each time that it was sent. */
  header(name: string): readonly string[];
}

/** What becomes of a connection that is let in. */
export interface Upgrade {
  /** Whether messages are compressed, each by itself. */
  readonly compress: boolean;
  /** The most bytes of a frame that is sent. */
  readonly frameBytes: number;
  /** The most bytes of a message that is taken, after it has been reassembled and decompressed. */
  readonly maxMessage: number;
  /** Headers of the answer. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** What the server makes of connections to a WebSocket listener; `U` is what it wants to know again of an upgrade. */
export interface WebsocketHandler<U extends Upgrade> {
  /** Lets a request in, or answers it with an HTTP status. @param remote - who asks: "host:port". */
  upgrade(request: UpgradeRequest, remote: string): U | number;
  /** A connection has been upgraded; its link begins now. */
  accept(link: ByteLink, upgrade: U, tls: TlsFacts | undefined): void;
  /** Whether the client's certificate will do. */
  trusts(tls: TlsFacts): boolean;
  /** A connection has ended before it could ask for anything. */
  failed(remote: string, why: string): void;
}

/** How a WebSocket listener works. */
export interface WebsocketSettings {
  /** How long a client may take until it has been upgraded, in ms. */
  readonly handshakeTimeout: number;
  /** TLS as it is now; undefined when there is none. */
  tls(): TlsContext | undefined;
}
