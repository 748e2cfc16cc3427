import type { ServerInfo } from "../../protocol/info.ts";
import type { ByteLink } from "../../seams/link.ts";
import type { Listener, Network } from "../../seams/listener.ts";
import type { Logger } from "../../seams/logger.ts";
import type { TlsContext, TlsFacts } from "../../seams/tls.ts";
import type { UpgradeRequest } from "../../seams/websocket.ts";
import { listenFailed } from "../errors.ts";
import { readTls } from "../listener-tls.ts";
import { type ResolvedTls, resolveTls } from "../options/resolve-tls.ts";
import type { ResolvedWebsocketOptions } from "../options/resolve-websocket.ts";
import type { TlsOptions } from "../options/types.ts";
import { hostPort, reachable } from "../reachable.ts";
import { type ClientUpgrade, UpgradeRules } from "./upgrade-rules.ts";

/** What a {@link WebsocketListener} needs of its server. */
export interface WebsocketHost {
  readonly network: Network;
  readonly log: Logger & { fatal(text: string): void };
  /** The most bytes of a message, as it is now. */
  maxPayload(): number;
  /** A client has come in. */
  accept(link: ByteLink, upgrade: ClientUpgrade, tls: TlsFacts | undefined): void;
}

/** The listener for clients over WebSocket (behaviour.md F.1). */
export class WebsocketListener {
  readonly #options: ResolvedWebsocketOptions;
  readonly #host: WebsocketHost;
  readonly #rules: UpgradeRules;
  #listener: Listener | undefined;
  #settings: ResolvedTls | undefined;
  #context: TlsContext | undefined;

  constructor(options: ResolvedWebsocketOptions, host: WebsocketHost) {
    this.#options = options;
    this.#host = host;
    this.#rules = new UpgradeRules(options);
  }

  /**
   * Begins to listen.
   * @throws ServerError `INVALID_OPTION` for a TLS file, or `LISTEN_FAILED`.
   */
  async open(): Promise<void> {
    const { host, port, handshakeTimeout, tls } = this.#options;
    if (tls !== undefined) (await this.prepareTls(tls))();
    const { network, log } = this.#host;
    const settings = { handshakeTimeout, tls: () => this.#context };
    try {
      this.#listener = await network.listenWebsocket({ host, port }, settings, {
        upgrade: (request, remote) => this.#upgrade(request, remote),
        accept: (link, upgrade, facts) => this.#accept(link, upgrade, facts),
        trusts: (facts) => this.#trusts(facts),
        failed: (remote, why) => log.error(`websocket: http: TLS handshake error from ${remote}: ${why}`),
      });
    } catch (cause) {
      const place = hostPort({ host, port });
      log.fatal(
        `Unable to listen for websocket connections: listen tcp ${place}: ${(cause as Error).message}`,
      );
      throw listenFailed("websocket", { host, port }, cause);
    }
    log.notice(
      `Listening for websocket clients on ${this.scheme}://${hostPort({ host, port: this.#listener.address.port })}`,
    );
    if (this.#context === undefined) log.warn("Websocket not configured with TLS. DO NOT USE IN PRODUCTION!");
  }

  /**
   * Reads the TLS files anew; the function returned has connections from then on use them.
   * @throws ServerError `INVALID_OPTION`.
   */
  async prepareTls(tls: TlsOptions): Promise<() => void> {
    const settings = resolveTls(tls, "websocket.tls");
    const context = await readTls(this.#host.network, settings, "websocket.tls");
    return () => {
      this.#context = context;
      this.#settings = settings;
    };
  }

  /** "ws", or "wss" with TLS. */
  get scheme(): "ws" | "wss" {
    return this.#options.tls === undefined ? "ws" : "wss";
  }

  /** When its certificate expires, in ms since the epoch; undefined without TLS. */
  get tlsNotAfter(): number | undefined {
    return this.#context?.notAfter;
  }

  /** Where it listens; undefined before it does. */
  get address(): Listener["address"] | undefined {
    return this.#listener?.address;
  }

  /** The URL that clients on this machine connect to; undefined before there is one. */
  get url(): string | undefined {
    return this.#listener === undefined ? undefined : `${this.scheme}://${reachable(this.#listener.address)}`;
  }

  /** What INFO says to these clients, made of what it says to others. */
  adaptInfo(info: ServerInfo): ServerInfo {
    const tls = this.scheme === "wss" || undefined;
    const { host } = this.#options;
    const port = this.#listener?.address.port ?? 0;
    return { ...info, host, port, tls_required: tls, tls_available: tls };
  }

  /** Takes no more connections. */
  async close(): Promise<void> {
    await this.#listener?.close();
  }

  #upgrade(request: UpgradeRequest, remote: string): ClientUpgrade | number {
    const outcome = this.#rules.check(request, this.#host.maxPayload());
    if (!("status" in outcome)) return outcome;
    this.#host.log.error(`${remote} - websocket handshake error: ${outcome.reason}`);
    return outcome.status;
  }

  #accept(link: ByteLink, upgrade: ClientUpgrade, tls: TlsFacts | undefined): void {
    if (upgrade.kind === "leafnode") {
      this.#host.log.error("Not configured to accept leaf node connections");
      link.destroy();
    } else {
      this.#host.accept(link, upgrade, tls);
    }
  }

  #trusts({ peerCertificates }: TlsFacts): boolean {
    const pinned = this.#settings?.pinnedCerts;
    return pinned === undefined || pinned.has(peerCertificates[0]?.spkiSha256 ?? "");
  }
}
