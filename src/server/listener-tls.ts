import type { ServerInfo } from "../protocol/info.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Network } from "../seams/listener.ts";
import type { Logger } from "../seams/logger.ts";
import type { Runtime } from "../seams/runtime.ts";
import type { TlsContext } from "../seams/tls.ts";
import { ServerError } from "./errors.ts";
import type { ResolvedTls } from "./options/resolve-tls.ts";

/** TLS of the listener for clients, as it is now: a new one takes its place when the options are read again. */
export interface ListenerTls {
  readonly settings: ResolvedTls;
  readonly context: TlsContext;
  /** Takes clients without TLS as well. */
  readonly allowNonTls: boolean;
  /** How many connections a second may begin a handshake; undefined for no limit. */
  readonly rate: ConnectionRate | undefined;
}

/**
 * Reads the files that TLS options name. @param path - where the options are, such as "tls".
 * @throws ServerError `INVALID_OPTION` that says which file is wrong, and why.
 */
export async function readTls(network: Network, settings: ResolvedTls, path: string): Promise<TlsContext> {
  try {
    return await network.readTls(settings.config);
  } catch (cause) {
    const message = `option "${path}": ${(cause as Error).message}`;
    throw new ServerError("INVALID_OPTION", message, { option: path, cause });
  }
}

/** TLS as the options say. */
export async function openTls(
  options: { readonly tls: ResolvedTls; readonly allowNonTls: boolean },
  runtime: Runtime,
  logger: Logger,
): Promise<ListenerTls> {
  const { tls: settings, allowNonTls } = options;
  const context = await readTls(runtime.network, settings, "tls");
  const limit = settings.connectionRateLimit;
  const rate = limit === 0 ? undefined : new ConnectionRate(limit, runtime.clock, logger);
  return { settings, context, allowNonTls, rate };
}

/** What INFO says of TLS on the listener for clients. */
export function tlsInfo(
  tls: ListenerTls | undefined,
): Pick<ServerInfo, "tls_required" | "tls_verify" | "tls_available"> {
  return {
    tls_required: (tls !== undefined && !tls.allowNonTls) || undefined,
    tls_verify: tls?.settings.config.verify || undefined,
    tls_available: tls?.allowNonTls || undefined,
  };
}

/** The time (ms) that connections are counted for, and after which those that were refused are told of. */
const RATE_MS = 1_000;

/** Counts connections that want a handshake, and refuses those that are too many for a second (nats-server rate_counter.go). */
export class ConnectionRate {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #count = 0;
  #until = 0;
  #refused = 0;
  #timer: Timer | undefined;

  constructor(limit: number, clock: Clock, logger: Logger) {
    this.#limit = limit;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** One more: whether it may go on. */
  allow(): boolean {
    const now = this.#clock.monotonic();
    if (now > this.#until) {
      this.#count = 0;
      this.#until = now + RATE_MS;
    }
    this.#count += 1;
    if (this.#count <= this.#limit) return true;
    this.#timer ??= this.#clock.after(RATE_MS, () => this.#tell());
    this.#refused += 1;
    return false;
  }

  /** Ends it: nothing more is told. */
  stop(): void {
    this.#timer?.cancel();
  }

  #tell(): void {
    this.#timer = undefined;
    this.#logger.warn(`Rejected ${this.#refused} connections due to TLS rate limiting`);
    this.#refused = 0;
  }
}
