import type { Duplex, TlsClientOptions } from "../seams/dial.ts";
import type { VerbLink } from "../seams/link.ts";
import type { Port } from "../seams/port.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import { type ConnectionOptions, errors, type Server, type Status } from "./core.ts";
import { INBOX_PREFIX, isInboxPrefix } from "./inbox.ts";

/** As much of a server in this program as a client needs: `NatsServer` fits. */
export interface InProcessServer {
  /** One connection that needs no socket. */
  inProcessConn(): VerbLink;
}

/** Opens streams to a server, for what this library has no transport for (a proxy, a tunnel, a serial line). */
export type Dial = (server: Server) => Duplex | Promise<Duplex>;

/** Options of `connect`: those of the official client, more ways to a server, and bounds. */
export interface ConnectOptions extends Omit<ConnectionOptions, "tls"> {
  /** A server in this program. No socket is opened, and no bytes are written. Not together with other ways. */
  inProcessServer?: InProcessServer;
  /**
   * A port from `server.messagePort()`, in a worker thread; or a function that gets a new one for every attempt, without which the
   * connection cannot come back when it is lost. Not together with other ways.
   */
  messagePort?: Port | (() => Port | Promise<Port>);
  /** Opens the streams to a server of `servers`, in place of TCP. */
  dial?: Dial;
  /** The official client's, and whatever else the platform's TLS takes (Node: options of `tls.connect`). */
  tls?: TlsClientOptions | ConnectionOptions["tls"];
  /**
   * Bytes of messages that are kept while the connection is lost; beyond, `publish` throws ReconnectBufferExceededError. -1 keeps none.
   * Default 8,388,608 (nats.go's).
   */
  reconnectBufferSize?: number;
  /**
   * Bytes that may wait for the network while the connection is there, because the server reads more slowly than is published; beyond,
   * `publish` throws WriteBufferExceededError. Default: any number, as for the official client. See `Connection.buffered`.
   */
  writeBufferSize?: number;
  /** Called with each status event, from the first attempt to connect on. */
  onStatus?: (status: Status) => void;
}

/** What is wrong with an option's value; undefined when nothing is. */
type Check = (value: unknown, runtime: ClientRuntime) => string | undefined;

const aFunction: Check = (value) => (typeof value === "function" ? undefined : "must be a function");

const aText: Check = (value) => (typeof value === "string" ? undefined : "must be a text");

const atLeast =
  (least: number): Check =>
  (value) =>
    typeof value === "number" && value >= least ? undefined : `must be a number of ${least} or more`;

const aboveZero = atLeast(1);

const CHECKS: { readonly [Name in keyof ConnectOptions]?: Check } = {
  timeout: aboveZero,
  pingInterval: aboveZero,
  maxPingOut: aboveZero,
  maxReconnectAttempts: atLeast(-1),
  reconnectTimeWait: atLeast(0),
  reconnectJitter: atLeast(0),
  reconnectJitterTLS: atLeast(0),
  reconnectBufferSize: atLeast(-1),
  writeBufferSize: aboveZero,
  reconnectDelayHandler: aFunction,
  reconnectToServer: aFunction,
  onStatus: aFunction,
  dial: aFunction,
  authenticator: (value) =>
    [value].flat().every((each) => typeof each === "function")
      ? undefined
      : "must be a function or a list of functions",
  name: aText,
  user: aText,
  pass: aText,
  token: aText,
  inboxPrefix: (value) =>
    isInboxPrefix(value as string) ? undefined : `must be a subject without wildcards, not '${value}'`,
  inProcessServer: (value) =>
    typeof (value as InProcessServer).inProcessConn === "function"
      ? undefined
      : "must have a method inProcessConn",
  resolve: (value, { resolveHost }) =>
    value === true && resolveHost === undefined ? "is not supported in the current runtime" : undefined,
  tls: (value) => (typeof value === "object" ? undefined : "must be an object or null"),
};

/** The official client's; nats.go's for the buffer. */
const DEFAULTS = {
  inboxPrefix: INBOX_PREFIX,
  timeout: 20_000,
  pingInterval: 120_000,
  maxPingOut: 2,
  maxReconnectAttempts: 10,
  reconnect: true,
  reconnectTimeWait: 2_000,
  reconnectJitter: 100,
  reconnectJitterTLS: 1_000,
  reconnectBufferSize: 8 * 1024 * 1024,
  writeBufferSize: Number.POSITIVE_INFINITY,
};

/** Options that were checked, with their defaults. */
export interface Settings
  extends Readonly<Omit<ConnectOptions, keyof typeof DEFAULTS | "tls">>,
    Readonly<typeof DEFAULTS> {
  readonly tls?: TlsClientOptions | null;
}

/** Ways to a server: of each list, one may be given. */
const WAYS = [
  ["inProcessServer", "messagePort", "servers", "port"],
  ["inProcessServer", "messagePort", "dial"],
] as const;

/**
 * Checks the options that are given, and fills in the defaults.
 * @throws errors.InvalidArgumentError, which names the option.
 */
export function settle(options: ConnectOptions, runtime: ClientRuntime): Settings {
  const settled: Record<string, unknown> = { ...DEFAULTS };
  for (const name of Object.keys(options) as (keyof ConnectOptions)[]) {
    const value = options[name];
    const check = CHECKS[name];
    // What the official client takes for not given, too.
    const none = value === undefined || (value === null && name !== "tls");
    if (none || (value === "" && name === "inboxPrefix") || (value === 0 && check === aboveZero)) continue;
    const why = check?.(value, runtime);
    if (why !== undefined) throw errors.InvalidArgumentError.format(name, why);
    settled[name] = value;
  }
  for (const names of WAYS) {
    // An empty list of servers is none.
    const given = names.filter((name) => {
      const value = settled[name];
      return value !== undefined && !(Array.isArray(value) && value.length === 0);
    });
    if (given.length > 1) throw errors.InvalidArgumentError.format(given, "are mutually exclusive");
  }
  return settled as unknown as Settings;
}
