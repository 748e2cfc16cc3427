import type { ByteLink } from "./link.ts";

/** A file that TLS is made from cannot be used. The message names it, and says why. */
export class TlsFileError extends Error {
  override readonly name = "TlsFileError";
  /** What nats-server says of it. */
  readonly serverText: string;

  constructor(message: string, serverText: string, cause?: unknown) {
    super(message, { cause });
    this.serverText = serverText;
  }
}

/** What TLS of a listener is made from. Files hold PEM. */
export interface TlsConfig {
  /** At least one; that with the name that a client asks for is shown, else the first. */
  readonly certs: readonly { readonly certFile: string; readonly keyFile: string }[];
  /** Roots that client certificates are checked with. */
  readonly caFile: string | undefined;
  /** Whether clients must show a certificate. */
  readonly verify: boolean;
  /** Names of `ALL_CIPHER_SUITES`; undefined for those of `CIPHER_SUITES`. */
  readonly cipherSuites: readonly string[] | undefined;
  /** Names of `CURVES`, the best first; undefined for the platform's. */
  readonly curvePreferences: readonly string[] | undefined;
  readonly minVersion: "1.2" | "1.3";
}

/** A {@link TlsConfig} whose files have been read: what handshakes are made with. Only its own runtime looks inside. */
export interface TlsContext {
  readonly config: TlsConfig;
  /** When its first certificate expires, in ms since the epoch. */
  readonly notAfter: number;
}

/** A certificate that a client has shown, as `tls_peer_certs` of monitoring has it. */
export interface PeerCertificate {
  /** The subject as Go writes it: "CN=alice,O=Example". */
  readonly subject: string;
  /** SHA-256 of its public key (SubjectPublicKeyInfo), in hex. */
  readonly spkiSha256: string;
  /** SHA-256 of it all, in hex. */
  readonly certSha256: string;
}

/** What a handshake has settled. */
export interface TlsFacts {
  /** "1.2" or "1.3". */
  readonly version: string;
  /** The standard's name, such as "TLS_AES_128_GCM_SHA256". */
  readonly cipherSuite: string;
  /** What the client has shown, its own certificate first; empty unless `verify` asks for it. */
  readonly peerCertificates: readonly PeerCertificate[];
}

/** A handshake that came to nothing. */
export interface TlsFailure {
  /** Why, in nats-server's words where it has some. */
  readonly message: string;
  /** Whether this is only somebody who looks what kind of port it is: nats-server logs that as debug. */
  readonly probe: boolean;
}

/** How {@link SecurableLink.secure} ends. */
export type TlsOutcome = { readonly facts: TlsFacts } | { readonly failure: TlsFailure };

/**
 * A link that begins in the clear and may be told to change to TLS. Until `start` it reads nothing of its own accord;
 * what it is given to write goes out as it is, or through TLS once that is there.
 */
export interface SecurableLink extends ByteLink {
  /**
   * Waits for the other end to send, and leaves what it sent to be read: `came` is called once, with the first byte, or
   * with undefined when the connection has ended. Calling what this returns ends the wait: `came` is not called then.
   */
  awaitFirstByte(came: (byte: number | undefined) => void): () => void;
  /** Makes the handshake, as the server. `done` is called once, unless the link is destroyed before. */
  secure(context: TlsContext, done: (outcome: TlsOutcome) => void): void;
}
