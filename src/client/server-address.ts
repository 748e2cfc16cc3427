import { DEFAULT_HOST, DEFAULT_PORT, errors } from "./core.ts";

/** How a server is spoken to. */
export type Scheme = "nats" | "tls" | "ws" | "wss";

/** A server's address, read. */
export interface ServerAddress {
  /** The text as it was given. */
  readonly src: string;
  readonly scheme: Scheme;
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
  /** `host:port`, with brackets: how servers are named and compared. */
  readonly listen: string;
  /** What follows host and port; for WebSockets. */
  readonly path: string;
  /** What the URL says before an "@". */
  readonly credentials: UrlCredentials | undefined;
}

/** Credentials in a URL: `user:pass@` or `token@`. */
export type UrlCredentials =
  | { readonly user: string; readonly pass: string }
  | { readonly auth_token: string };

const PORTS: Readonly<Record<Scheme, number>> = { nats: DEFAULT_PORT, tls: DEFAULT_PORT, ws: 80, wss: 443 };

/**
 * Reads `nats://host:port`, `tls://...`, `ws://...`, `wss://...`, `host:port`, `host`, or an IPv6 address with or without brackets.
 * @param byDefault - the scheme where the text names none.
 * @throws errors.InvalidArgumentError
 */
export function parseAddress(src: string, byDefault: Scheme): ServerAddress {
  try {
    if (typeof src !== "string") throw new TypeError("it is not a text");
    const [, named, rest] = /^\s*(?:(.*?):\/\/)?(.*?)\s*$/s.exec(src)!;
    const scheme = (named?.toLowerCase().replace("tcp", "nats") ?? byDefault) as Scheme;
    if (!Object.hasOwn(PORTS, scheme))
      throw new TypeError(`the scheme "${named}" is not "nats", "tls", "ws" or "wss"`);
    // The standard's parser treats schemes that it does not know as opaque; http is close enough for host and port.
    const url = new URL(`http://${bracketed(rest)}`);
    const hostname = url.hostname.replace(/^\[|\]$/g, "") || DEFAULT_HOST;
    // http's own port number has been left out.
    const port = url.port !== "" ? Number(url.port) : /:80(?:[/?]|$)/.test(rest) ? 80 : PORTS[scheme];
    return {
      src,
      scheme,
      hostname,
      port,
      listen: `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
      path: url.pathname + url.search,
      credentials: credentialsOf(url),
    };
  } catch (error) {
    const cause = error as Error;
    throw errors.InvalidArgumentError.format("servers", `cannot be read: "${src}": ${cause.message}`, {
      cause,
    });
  }
}

/** An IPv6 address without brackets gets them; one that stands for an IPv4 address becomes that. */
function bracketed(text: string): string {
  const mapped = /^\[?::ffff:(\d+\.\d+\.\d+\.\d+)\]?(:\d+)?$/i.exec(text);
  if (mapped !== null) return mapped[1] + (mapped[2] ?? "");
  return /^[\da-f]*:[\da-f:]*:[\da-f.]*$/i.test(text) ? `[${text}]` : text;
}

function credentialsOf({ username, password }: URL): UrlCredentials | undefined {
  if (username === "") return undefined;
  const user = decodeURIComponent(username);
  return password === "" ? { auth_token: user } : { user, pass: decodeURIComponent(password) };
}

/** Whether a host is an IP address rather than a name. */
export function isIpAddress(hostname: string): boolean {
  return hostname.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
}
