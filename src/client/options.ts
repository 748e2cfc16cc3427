import type { Duplex, TlsClientOptions } from "../seams/dial.ts";
import type { VerbLink } from "../seams/link.ts";
import type { Port } from "../seams/port.ts";
import type { Random } from "../seams/random.ts";
import type { ClientRuntime } from "../seams/runtime.ts";
import {
  type Authenticator,
  buildAuthenticator,
  type ConnectionOptions,
  DEFAULT_HOST,
  DEFAULT_PORT,
  errors,
  type ReconnectToServerHandler,
  type Server,
  type Status,
} from "./core.ts";
import { INBOX_PREFIX, isInboxPrefix } from "./inbox.ts";
import { ServerPool } from "./server-pool.ts";

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
  /** Called with each status event, from the first attempt to connect on. */
  onStatus?: (status: Status) => void;
}

/** Options with their defaults, checked. */
export interface Settings {
  readonly way: Way;
  readonly pool: ServerPool;
  readonly authenticator: Authenticator;
  readonly name: string | undefined;
  readonly noEcho: boolean;
  readonly verbose: boolean;
  readonly pedantic: boolean;
  readonly debug: boolean;
  readonly asyncTraces: boolean;
  readonly inboxPrefix: string;
  readonly tls: TlsClientOptions | null | undefined;
  readonly resolve: boolean;
  /** Milliseconds for an attempt. */
  readonly timeout: number;
  readonly pingInterval: number;
  readonly maxPingOut: number;
  readonly reconnect: boolean;
  readonly waitOnFirstConnect: boolean;
  readonly maxReconnectAttempts: number;
  /** Milliseconds until a server is tried again. */
  readonly reconnectDelay: () => number;
  readonly reconnectToServer: ReconnectToServerHandler | undefined;
  readonly reconnectBufferSize: number;
  readonly ignoreAuthErrorAbort: boolean;
  readonly ignoreClusterUpdates: boolean;
  readonly onStatus: ((status: Status) => void) | undefined;
}

/** How servers are reached. */
export type Way =
  | { readonly kind: "in-process"; readonly server: InProcessServer }
  | { readonly kind: "port"; readonly port: Port | (() => Port | Promise<Port>) }
  | { readonly kind: "dial"; readonly dial: Dial }
  | { readonly kind: "network" };

/** The official client's defaults, in ms. */
const CONNECT_TIMEOUT_MS = 20_000;
const PING_INTERVAL_MS = 120_000;
const RECONNECT_WAIT_MS = 2_000;
const JITTER_MS = 100;
const JITTER_TLS_MS = 1_000;
/** Its default counts, and nats.go's default size. */
const PING_OUT_MAX = 2;
const RECONNECT_ATTEMPTS_MAX = 10;
const RECONNECT_BUFFER_BYTES = 8 * 1024 * 1024;

/**
 * Checks the options, and fills in the defaults.
 * @throws errors.InvalidArgumentError, which names the option.
 */
export function settle(options: ConnectOptions, runtime: ClientRuntime): Settings {
  const way = wayOf(options);
  const { inboxPrefix, tls, resolve } = options;
  if (inboxPrefix !== undefined && inboxPrefix !== "" && !isInboxPrefix(inboxPrefix)) {
    throw errors.InvalidArgumentError.format(
      "inboxPrefix",
      `must be a subject without wildcards, not '${inboxPrefix}'`,
    );
  }
  if (resolve === true && runtime.resolveHost === undefined) {
    throw errors.InvalidArgumentError.format("resolve", "is not supported in the current runtime");
  }
  if (tls !== undefined && tls !== null && typeof tls !== "object") {
    throw errors.InvalidArgumentError.format("tls", "must be an object or null");
  }
  for (const name of ["reconnectDelayHandler", "reconnectToServer", "onStatus", "dial"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      throw errors.InvalidArgumentError.format(name, "must be a function");
    }
  }
  return {
    way,
    pool: poolOf(options, way, runtime),
    authenticator: authenticatorOf(options),
    name: options.name,
    noEcho: options.noEcho ?? false,
    verbose: options.verbose ?? false,
    pedantic: options.pedantic ?? false,
    debug: options.debug ?? false,
    asyncTraces: options.noAsyncTraces === false,
    inboxPrefix: inboxPrefix || INBOX_PREFIX,
    tls: tls as TlsClientOptions | null | undefined,
    resolve: resolve !== false,
    timeout: atLeast(1, "timeout", options.timeout || CONNECT_TIMEOUT_MS),
    pingInterval: atLeast(1, "pingInterval", options.pingInterval || PING_INTERVAL_MS),
    maxPingOut: atLeast(1, "maxPingOut", options.maxPingOut || PING_OUT_MAX),
    reconnect: options.reconnect ?? true,
    waitOnFirstConnect: options.waitOnFirstConnect ?? false,
    maxReconnectAttempts: atLeast(
      -1,
      "maxReconnectAttempts",
      options.maxReconnectAttempts ?? RECONNECT_ATTEMPTS_MAX,
    ),
    reconnectDelay: delayOf(options, runtime.random),
    reconnectToServer: options.reconnectToServer,
    reconnectBufferSize: Math.max(
      0,
      atLeast(-1, "reconnectBufferSize", options.reconnectBufferSize ?? RECONNECT_BUFFER_BYTES),
    ),
    ignoreAuthErrorAbort: options.ignoreAuthErrorAbort ?? false,
    ignoreClusterUpdates: options.ignoreClusterUpdates ?? false,
    onStatus: options.onStatus,
  };
}

function wayOf(options: ConnectOptions): Way {
  const { inProcessServer, messagePort, dial, port } = options;
  const servers = options.servers?.length ? options.servers : undefined;
  const given = { inProcessServer, messagePort, servers, port };
  const names = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (names.length > 1) throw errors.InvalidArgumentError.format(names, "are mutually exclusive");
  if (dial !== undefined && (inProcessServer ?? messagePort) !== undefined) {
    throw errors.InvalidArgumentError.format([...names, "dial"], "are mutually exclusive");
  }
  if (inProcessServer !== undefined) {
    if (typeof inProcessServer.inProcessConn !== "function") {
      throw errors.InvalidArgumentError.format("inProcessServer", "must have a method inProcessConn");
    }
    return { kind: "in-process", server: inProcessServer };
  }
  if (messagePort !== undefined) return { kind: "port", port: messagePort };
  return dial === undefined ? { kind: "network" } : { kind: "dial", dial };
}

function poolOf(options: ConnectOptions, way: Way, runtime: ClientRuntime): ServerPool {
  const pool = new ServerPool(options.noRandomize ? undefined : runtime.random, schemeOf(way, runtime));
  if (way.kind === "in-process") pool.add("in-process");
  else if (way.kind === "port") pool.add("message-port");
  else pool.replace(serversOf(options));
  for (const { address } of pool.servers) {
    if (way.kind === "network" && runtime.dial === undefined && !address.scheme.startsWith("ws")) {
      throw errors.InvalidArgumentError.format(
        "servers",
        `cannot be reached from here: "${address.src}": only "ws" and "wss" can`,
      );
    }
  }
  return pool;
}

/** What a server without a scheme is taken for: where there are only WebSockets, "wss", as by the official client. */
function schemeOf(way: Way, runtime: ClientRuntime): "nats" | "wss" {
  return way.kind === "network" && runtime.dial === undefined ? "wss" : "nats";
}

function serversOf({ servers, port }: ConnectOptions): string[] {
  if (port !== undefined) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw errors.InvalidArgumentError.format("port", "must be a whole number from 1 to 65535");
    }
    return [`${DEFAULT_HOST}:${port}`];
  }
  if (servers === undefined || servers.length === 0) return [`${DEFAULT_HOST}:${DEFAULT_PORT}`];
  return typeof servers === "string" ? [servers] : servers;
}

function authenticatorOf(options: ConnectOptions): Authenticator {
  const { authenticator } = options;
  const given = Array.isArray(authenticator) ? authenticator : [authenticator ?? (() => {})];
  if (given.some((each) => typeof each !== "function")) {
    throw errors.InvalidArgumentError.format("authenticator", "must be a function or a list of functions");
  }
  return buildAuthenticator(options as ConnectionOptions) as Authenticator;
}

function delayOf(options: ConnectOptions, random: Random): () => number {
  const handler = options.reconnectDelayHandler;
  if (handler !== undefined) {
    return () => {
      const delay = handler();
      return Number.isFinite(delay) && delay > 0 ? delay : 0;
    };
  }
  const wait = atLeast(0, "reconnectTimeWait", options.reconnectTimeWait ?? RECONNECT_WAIT_MS);
  const jitter = atLeast(0, "reconnectJitter", options.reconnectJitter ?? JITTER_MS);
  const jitterTls = atLeast(0, "reconnectJitterTLS", options.reconnectJitterTLS ?? JITTER_TLS_MS);
  const most = options.tls ? jitterTls : jitter;
  return () => wait + Math.floor(random.fraction() * (most + 1));
}

function atLeast(least: number, name: string, value: number): number {
  if (typeof value === "number" && value >= least) return value;
  throw errors.InvalidArgumentError.format(name, `must be a number of ${least} or more`);
}
