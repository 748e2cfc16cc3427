import type { Broker } from "../broker/broker.ts";
import type { Session } from "../broker/session.ts";
import { FAULTS } from "../protocol/faults.ts";
import type { Timer } from "../seams/clock.ts";
import type { SecurableLink, TlsFacts } from "../seams/tls.ts";
import type { ListenerTls } from "./listener-tls.ts";

/** The first byte of a TLS handshake: a client that begins with another speaks NATS in the clear. */
const HANDSHAKE_BYTE = 0x16;

/**
 * How a connection to a listener with TLS begins: INFO and then the handshake, the handshake first, or whichever the client shows that it
 * wants; and, where clients may do without TLS, a look at their first byte (behaviour.md C.6; nats-server `createClient`).
 */
export class Greeting {
  readonly #broker: Broker;
  readonly #session: Session;
  readonly #link: SecurableLink;
  readonly #tls: ListenerTls;
  readonly #ready: () => void;
  #timer: Timer | undefined;
  #stopWaiting: (() => void) | undefined;

  /** @param ready - called when the client may speak. */
  constructor(broker: Broker, session: Session, link: SecurableLink, tls: ListenerTls, ready: () => void) {
    this.#broker = broker;
    this.#session = session;
    this.#link = link;
    this.#tls = tls;
    this.#ready = ready;
  }

  /** Begins. */
  begin(): void {
    const { handshakeFirst } = this.#tls.settings;
    const infoFirst = handshakeFirst === false;
    this.#session.open(infoFirst, false);
    this.#broker.flush();
    if (this.#session.closed) return;
    if (infoFirst) this.#afterInfo();
    else if (handshakeFirst === true) this.#handshake(true);
    else this.#awaitByte(handshakeFirst, (byte) => this.#beganOrNot(byte));
  }

  /** Ends it: the session has ended. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
  }

  #beganOrNot(byte: number | undefined): void {
    if (byte !== undefined) {
      this.#handshake(true);
      return;
    }
    this.#session.greet();
    this.#broker.flush();
    this.#afterInfo();
  }

  #afterInfo(): void {
    if (!this.#tls.allowNonTls) {
      this.#handshake(false);
      return;
    }
    this.#awaitByte(this.#tls.settings.timeout, (byte) => {
      if (byte === HANDSHAKE_BYTE) this.#handshake(false);
      else this.#ready();
    });
  }

  /** Waits for what the client sends first; undefined when it has sent nothing in time, or has gone. */
  #awaitByte(time: number, then: (byte: number | undefined) => void): void {
    const came = (byte: number | undefined): void => {
      this.stop();
      if (!this.#session.closed) then(byte);
    };
    this.#timer = this.#broker.context.clock.after(time, () => came(undefined));
    this.#stopWaiting = this.#link.awaitFirstByte(came);
  }

  #handshake(first: boolean): void {
    const { context, settings, rate } = this.#tls;
    if (rate?.allow() === false) {
      this.#session.dismiss(FAULTS.throttled);
      this.#broker.flush();
      return;
    }
    this.#debug("Starting TLS client connection handshake");
    this.#timer = this.#broker.context.clock.after(settings.timeout, () => {
      this.#debug("TLS handshake timeout");
      this.#session.dismiss(FAULTS.handshakeFailed);
    });
    this.#link.secure(context, (outcome) => {
      this.stop();
      if (this.#session.closed) return;
      if ("facts" in outcome) {
        if (this.#pinned(outcome.facts)) this.#secured(outcome.facts, first);
        else this.#failed("certificate not pinned", false);
      } else {
        this.#failed(outcome.failure.message, outcome.failure.probe);
      }
    });
  }

  #failed(why: string, probe: boolean): void {
    const text = `TLS handshake error: ${why}`;
    if (probe) this.#debug(text);
    else this.#broker.context.logger.error(`${this.#session.label} - ${text}`);
    this.#session.dismiss(FAULTS.handshakeFailed);
  }

  #secured(facts: TlsFacts, first: boolean): void {
    const session = this.#session;
    session.tls = facts;
    session.tlsFirst = first;
    // What was asked of this client was required of it, wherever else it would only be offered.
    if (first) session.greet({ tls_required: true });
    this.#broker.flush();
    this.#debug("TLS handshake complete");
    this.#debug(`TLS version ${facts.version}, cipher suite ${facts.cipherSuite}`);
    this.#ready();
  }

  /** Whether the client's certificate is one of those that are let in. */
  #pinned(facts: TlsFacts): boolean {
    const { pinnedCerts } = this.#tls.settings;
    if (pinnedCerts === undefined) return true;
    const [certificate] = facts.peerCertificates;
    if (certificate === undefined) {
      this.#debug("Failed pinned cert test as client did not provide a certificate");
      return false;
    }
    if (pinnedCerts.has(certificate.spkiSha256)) return true;
    this.#debug(`Failed pinned cert test for key id: ${certificate.spkiSha256}`);
    return false;
  }

  #debug(text: string): void {
    this.#broker.context.logger.debug(`${this.#session.label} - ${text}`);
  }
}
