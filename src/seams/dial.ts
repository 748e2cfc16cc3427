import type { ByteLink } from "./link.ts";

/**
 * How a client's end of TLS is made: the official client's `tls` option. What else is in it goes to the platform as it is (Node's
 * `tls.connect`: `servername`, `rejectUnauthorized`, `minVersion`, ...).
 */
export interface TlsClientOptions {
  /** The handshake comes before `INFO`, as the server's `handshake_first` wants it. */
  handshakeFirst?: boolean;
  /** Roots to trust: PEM, or the name of a file of it. */
  ca?: unknown;
  caFile?: string;
  /** The client's certificate, likewise. */
  cert?: unknown;
  certFile?: string;
  /** The key of it, likewise. */
  key?: unknown;
  keyFile?: string;
  readonly [more: string]: unknown;
}

/** A link that a client has opened. */
export interface ClientLink extends ByteLink {
  /** Whether what it carries is encrypted; may change with `secure`. */
  readonly encrypted?: boolean;
  /**
   * Changes to TLS, as the client; missing where that cannot be. Nothing may be written until it resolves; it rejects with why it
   * has not come about.
   * @param name - the server's name, for its certificate; "" when it is only known by its address.
   */
  secure?(options: TlsClientOptions, name: string): Promise<void>;
}

/** A pair of streams of bytes (WHATWG), or as much of Node's `Duplex` as is used. */
export type Duplex = StreamPair | NodeDuplex;

/** What `Deno.connect`, `stream.Duplex.toWeb`, a serial port and others give. */
export interface StreamPair {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** As much of Node's `stream.Duplex` as is used. */
export interface NodeDuplex {
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "close" | "end" | "drain", listener: () => void): unknown;
  write(bytes: Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
}
