import { invalid, wholeNumberOf } from "./check.ts";
import type { WebsocketOptions } from "./types.ts";

/** {@link WebsocketOptions} with the defaults in place. */
export type ResolvedWebsocketOptions = WebsocketOptions &
  Required<
    Pick<
      WebsocketOptions,
      | "host"
      | "port"
      | "noTls"
      | "sameOrigin"
      | "allowedOrigins"
      | "handshakeTimeout"
      | "compression"
      | "headers"
    >
  >;

/** Headers that the answer to an upgrade cannot have from elsewhere (nats-server `validateWebsocketOptions`). */
const TAKEN_HEADERS = new Set(["host", "content-length", "connection", "upgrade", "nats-no-masking"]);

/**
 * Checks what must hold among the options of the WebSocket listener, and puts the last defaults in.
 * @param hasUsers - whether users are defined, which its own user or token would exclude.
 * @throws ServerError `INVALID_OPTION`.
 */
export function resolveWebsocket(options: WebsocketOptions, hasUsers: boolean): ResolvedWebsocketOptions {
  const { tls, noTls = false, allowedOrigins = [], headers = {}, authorization, jwtCookie } = options;
  if (tls === undefined && !noTls) throw invalid("websocket.tls", "must be given, or noTls must be true");
  for (const origin of allowedOrigins) {
    if (isOrigin(origin)) continue;
    throw invalid("websocket.allowedOrigins", "must be URLs with http or https and a host", origin);
  }
  for (const name of Object.keys(headers)) {
    const lower = name.toLowerCase();
    if (TAKEN_HEADERS.has(lower) || lower.startsWith("sec-websocket-")) {
      throw invalid(`websocket.headers.${name}`, "is a header that the upgrade itself sets");
    }
  }
  for (const name of ["user", "token"] as const) {
    if (hasUsers && authorization?.[name] !== undefined) {
      throw invalid(`websocket.authorization.${name}`, "cannot be given where there are users");
    }
  }
  if (jwtCookie !== undefined && jwtCookie !== "") {
    throw invalid("websocket.jwtCookie", "needs operators, which this server does not have");
  }
  return {
    ...(options as ResolvedWebsocketOptions),
    host: options.host ?? "127.0.0.1",
    port: wholeNumberOf(options.port, "websocket.port", 0, 65_535),
    allowedOrigins,
    headers,
  };
}

function isOrigin(text: string): boolean {
  try {
    const { protocol, hostname } = new URL(text);
    return (protocol === "http:" || protocol === "https:") && hostname !== "";
  } catch {
    return false;
  }
}
