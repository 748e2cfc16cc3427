import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { type SecureContext, TLSSocket } from "node:tls";
import type { TlsConfig, TlsContext, TlsFacts, TlsFailure, TlsOutcome } from "../../seams/tls.ts";
import { tlsFacts } from "./tls-facts.ts";
import { certificateFailure, ENDED, tlsFailure } from "./tls-failure.ts";
import { type ListenerCertificate, readCertificates } from "./tls-options.ts";

/** What a TLS socket of Node's has beyond its types. */
interface Verifying {
  _handle: { verifyError?(): (Error & { code?: string }) | null | undefined } | null;
}

/** Certificates that have been read, ready for handshakes on Node. */
export class NodeTlsContext implements TlsContext {
  readonly config: TlsConfig;
  readonly notAfter: number;
  readonly #certificates: readonly ListenerCertificate[];

  /** @throws Error that says which file is wrong. */
  constructor(config: TlsConfig) {
    this.config = config;
    this.#certificates = readCertificates(config);
    this.notAfter = Date.parse(new X509Certificate(this.#certificates[0].cert).validTo);
  }

  /** The context for a client that asks for `name`: that of the first certificate which is good for it, else the first. */
  contextFor(name: string): SecureContext {
    const fits = ({ cert }: ListenerCertificate): boolean =>
      new X509Certificate(cert).checkHost(name) !== undefined;
    const found = this.#certificates.length === 1 ? undefined : this.#certificates.find(fits);
    return (found ?? this.#certificates[0]).context;
  }

  /**
   * Makes the server's side of the handshake on a connection that has sent and received plain bytes until now. What it has
   * received and nobody has read belongs to the handshake. From here on the returned socket is the one to use, also to destroy both:
   * Node does not bear that `plain` is destroyed in the middle of a handshake.
   * @param done - called once, later. A socket that failed is destroyed.
   */
  handshake(plain: Socket, done: (outcome: TlsOutcome) => void): TLSSocket {
    const { verify } = this.config;
    const socket = new TLSSocket(plain, {
      isServer: true,
      secureContext: this.#certificates[0].context,
      // With both, a client that shows nothing is told so by an alert.
      requestCert: verify,
      rejectUnauthorized: verify,
      SNICallback: (name, give) => give(null, this.contextFor(name)),
    });
    let settled = false;
    const settle = (outcome: TlsOutcome): void => {
      if (settled) return;
      settled = true;
      done(outcome);
    };
    // A record that cannot be read is told as "_tlsError", and there is no other way to hear of it.
    socket.on("_tlsError", (error: Error) => socket.destroy(error));
    socket.on("error", (error) => settle({ failure: tlsFailure(error) }));
    socket.on("close", () => settle({ failure: ENDED }));
    socket.on("secure", () => {
      const facts = tlsFacts(socket);
      const problem = verify ? this.#verify(socket, facts) : undefined;
      if (problem === undefined) {
        settle({ facts });
      } else {
        socket.destroy();
        settle({ failure: problem });
      }
    });
    return socket;
  }

  /** What is wrong with the client's certificate. Anything but a clear yes is a no. */
  #verify(socket: TLSSocket, facts: TlsFacts): TlsFailure | undefined {
    const handle = (socket as TLSSocket & Verifying)._handle;
    const shown = facts.peerCertificates;
    if (shown.length > 0 && typeof handle?.verifyError === "function") {
      const error = handle.verifyError();
      if (error === undefined || error === null) return undefined;
      const details = shown.map(({ subject, certSha256 }) => `${subject} SHA-256: ${certSha256}`);
      return certificateFailure(error.code ?? "", details);
    }
    return { message: "tls: client didn't provide a certificate", probe: false };
  }
}
