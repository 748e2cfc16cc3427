import type { VerbLink } from "../seams/link.ts";
import type { Port } from "../seams/port.ts";
import { type ConnectionOptions, DEFAULT_HOST, DEFAULT_PORT, errors } from "./core.ts";

/** As much of a server in this program as a client needs: `NatsServer` fits. */
export interface InProcessServer {
  /** One connection that needs no socket. */
  inProcessConn(): VerbLink;
}

/** Options of `connect`: those of the official client, and two more ways to a server. At most one way may be given. */
export interface ConnectOptions extends ConnectionOptions {
  /** A server in this program. No socket is opened, and no bytes are written. */
  inProcessServer?: InProcessServer;
  /** A port from `server.messagePort()`, in a worker thread. */
  messagePort?: Port;
}

/** Where to connect to. */
export type Target =
  | { readonly kind: "in-process"; readonly server: InProcessServer }
  | { readonly kind: "port"; readonly port: Port }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** How long (ms) to wait for a server to take the connection; the official client's default. */
export const CONNECT_TIMEOUT_MS = 20_000;
/** How often (ms) a server is pinged, and how many pings may go unanswered; likewise. */
export const PING_INTERVAL_MS = 120_000;
export const PING_OUT_MAX = 2;

/**
 * Finds out where to connect to.
 * @throws errors.InvalidArgumentError when more than one way is given, or a server's URL cannot be read.
 */
export function targetsOf(options: ConnectOptions): Target[] {
  const { inProcessServer, messagePort, servers, port } = options;
  const given = { inProcessServer, messagePort, servers, port };
  const names = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (names.length > 1) throw errors.InvalidArgumentError.format(names, "are mutually exclusive");
  if (inProcessServer !== undefined) {
    if (typeof inProcessServer.inProcessConn !== "function") {
      throw errors.InvalidArgumentError.format("inProcessServer", "must have a method inProcessConn");
    }
    return [{ kind: "in-process", server: inProcessServer }];
  }
  if (messagePort !== undefined) return [{ kind: "port", port: messagePort }];
  const urls =
    servers === undefined || servers.length === 0 ? [`${DEFAULT_HOST}:${port ?? DEFAULT_PORT}`] : servers;
  return (typeof urls === "string" ? [urls] : urls).map(parseServer);
}

/** `nats://host:port`, `host:port` or `host`. */
function parseServer(text: string): Target {
  const url = text.includes("://") ? text : `nats://${text}`;
  let parsed: URL;
  try {
    // The standard's parser treats schemes that it does not know as opaque; http is close enough for host and port.
    const [scheme, rest] = url.split("://", 2);
    if (scheme !== "nats" && scheme !== "tcp") throw new TypeError(`the scheme "${scheme}" is not "nats"`);
    parsed = new URL(`http://${rest}`);
  } catch (cause) {
    throw errors.InvalidArgumentError.format(
      "servers",
      `cannot be read: "${text}": ${(cause as Error).message}`,
      {
        cause: cause as Error,
      },
    );
  }
  // http's own port number would have been left out.
  const port = parsed.port !== "" ? Number(parsed.port) : /:80(\/|$)/.test(url) ? 80 : DEFAULT_PORT;
  return { kind: "tcp", host: parsed.hostname.replace(/^\[|\]$/g, ""), port };
}
