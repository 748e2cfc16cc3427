import type { ConnectOptions } from "../../protocol/connect-options.ts";
import type { Upgrade, UpgradeRequest } from "../../seams/websocket.ts";
import type { ResolvedWebsocketOptions } from "../options/resolve-websocket.ts";
import { Origins } from "./origins.ts";

/** The most bytes of a frame for browsers, which do better with small ones. */
const BROWSER_FRAME_BYTES = 4_096;
/** The most bytes of a message from a client. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** The same as a multiple of `maxPayload`, for what comes compressed and might be much more than it seems. */
const COMPRESSED_PAYLOADS = 8;

/** An upgrade, and what is known of the client from its request. */
export interface ClientUpgrade extends Upgrade {
  /** What the client connects for. Leaf nodes get as far as this, and no further, where none are served. */
  readonly kind: "client" | "leafnode";
  /** Who is behind a proxy, as that says; undefined without one. */
  readonly forwardedFor: string | undefined;
  /** What cookies say in place of fields that `CONNECT` leaves out. */
  readonly credentials: Partial<ConnectOptions>;
}

/** Why a request is refused. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

/** Which requests to the WebSocket listener are let in, in the order that nats-server checks them (`wsUpgrade`). */
export class UpgradeRules {
  readonly #options: ResolvedWebsocketOptions;
  readonly #origins: Origins;
  readonly #headers: readonly [string, string][];

  constructor(options: ResolvedWebsocketOptions) {
    this.#options = options;
    this.#origins = new Origins(options.sameOrigin, options.allowedOrigins);
    this.#headers = Object.entries(options.headers);
  }

  /** What becomes of a request. @param maxPayload - the most bytes of a NATS message. */
  check(request: UpgradeRequest, maxPayload: number): ClientUpgrade | Refusal {
    const path = request.target.replace(/[?#].*$/, "");
    return this.#refusal(request, path) ?? this.#upgrade(request, path, maxPayload);
  }

  #refusal(request: UpgradeRequest, path: string): Refusal | undefined {
    if (path.endsWith("/mqtt")) return refusal(404, "mqtt websocket endpoint not enabled");
    if (request.method !== "GET") return refusal(405, "request method must be GET");
    if (!request.header("Host")[0]) return refusal(400, "'Host' missing in request");
    if (!hasToken(request, "Upgrade", "websocket")) return refusal(400, "invalid value for header 'Upgrade'");
    if (!hasToken(request, "Connection", "upgrade"))
      return refusal(400, "invalid value for header 'Connection'");
    const key = request.header("Sec-Websocket-Key")[0];
    if (!key) return refusal(400, "key missing");
    // 16 bytes in base64.
    if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) return refusal(400, "invalid websocket key");
    if (!hasToken(request, "Sec-Websocket-Version", "13")) return refusal(400, "invalid version");
    const origin = this.#origins.refusal(request);
    return origin === undefined ? undefined : refusal(403, `origin not allowed: ${origin}`);
  }

  #upgrade(request: UpgradeRequest, path: string, maxPayload: number): ClientUpgrade {
    const browser = request.header("User-Agent")[0]?.startsWith("Mozilla/") === true;
    const compress = this.#options.compression && offersDeflate(request);
    const forwardedFor = request.header("X-Forwarded-For")[0];
    return {
      kind: path.endsWith("/leafnode") ? "leafnode" : "client",
      compress,
      frameBytes: browser ? BROWSER_FRAME_BYTES : Number.POSITIVE_INFINITY,
      maxMessage: compress
        ? Math.min(COMPRESSED_PAYLOADS * maxPayload, MAX_MESSAGE_BYTES)
        : MAX_MESSAGE_BYTES,
      headers: this.#headers,
      forwardedFor: forwardedFor !== undefined && isAddress(forwardedFor) ? forwardedFor : undefined,
      credentials: this.#credentials(request),
    };
  }

  #credentials(request: UpgradeRequest): Partial<ConnectOptions> {
    const { userCookie, passCookie, tokenCookie } = this.#options;
    const fields: readonly [keyof ConnectOptions, string | undefined][] = [
      ["user", userCookie],
      ["pass", passCookie],
      ["auth_token", tokenCookie],
    ];
    const credentials: Partial<Record<keyof ConnectOptions, string>> = {};
    for (const [name, value] of cookies(request)) {
      const field = fields.find(([, cookie]) => cookie !== undefined && cookie === name)?.[0];
      if (field !== undefined) credentials[field] = value;
    }
    return credentials as Partial<ConnectOptions>;
  }
}

function refusal(status: number, reason: string): Refusal {
  return { status, reason };
}

function tokens(request: UpgradeRequest, name: string): string[] {
  return request.header(name).flatMap((line) => line.split(",").map((token) => token.trim().toLowerCase()));
}

function hasToken(request: UpgradeRequest, name: string, token: string): boolean {
  return tokens(request, name).includes(token);
}

function offersDeflate(request: UpgradeRequest): boolean {
  return tokens(request, "Sec-Websocket-Extensions").some((offer) =>
    offer.split(";").some((part) => part.trim() === "permessage-deflate"),
  );
}

/** Names and values, as Go reads them (`Request.Cookies`): without quotes around the value. */
function cookies(request: UpgradeRequest): [name: string, value: string][] {
  return request
    .header("Cookie")
    .flatMap((line) => line.split(";"))
    .flatMap((part): [string, string][] => {
      const at = part.indexOf("=");
      if (at < 0) return [];
      return [
        [
          part.slice(0, at).trim(),
          part
            .slice(at + 1)
            .trim()
            .replace(/^"(.*)"$/, "$1"),
        ],
      ];
    });
}

/** Whether a text is an IP address and nothing else. */
function isAddress(text: string): boolean {
  const octets = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (octets !== null) return octets.slice(1).every((octet) => Number(octet) < 256 && !/^0\d/.test(octet));
  if (!text.includes(":") || /[^0-9a-f:.]/i.test(text)) return false;
  try {
    return new URL(`http://[${text}]/`).hostname !== "";
  } catch {
    return false;
  }
}
