import type { MappingRule } from "../../broker/mappings.ts";
import type { Logger } from "../../seams/logger.ts";
import { SILENT } from "../../seams/logger.ts";
import { parseAdvertised } from "../advertised.ts";
import { invalid, objectOf, textOf } from "./check.ts";
import { DEFAULTS } from "./defaults.ts";
import { resolveAllMappings } from "./mappings.ts";
import { type CustomResolvers, resolveBlock } from "./resolve-block.ts";
import { resolveJetStream } from "./resolve-jetstream.ts";
import { type ResolvedTls, resolveTls } from "./resolve-tls.ts";
import { checkUsers, USER_RESOLVERS } from "./resolve-users.ts";
import { type ResolvedWebsocketOptions, resolveWebsocket } from "./resolve-websocket.ts";
import type {
  AccountOptions,
  AuthorizationOptions,
  JetStreamOptions,
  ListenOptions,
  ServerOptions,
} from "./types.ts";

/** Options that have a default, which is in place. */
type Defaulted =
  | "maxConnections"
  | "maxPayload"
  | "maxControlLine"
  | "maxPending"
  | "maxSubscriptions"
  | "maxSubTokens"
  | "maxTracedMsgLen"
  | "maxClosedClients"
  | "pingInterval"
  | "pingMax"
  | "writeDeadline"
  | "writeTimeout"
  | "lameDuckDuration"
  | "lameDuckGracePeriod"
  | "noSystemAccount"
  | "noFastProducerStall"
  | "noHeaderSupport"
  | "noSublistCache"
  | "disableShortFirstPing"
  | "allowNonTls"
  | "httpBasePath"
  | "debug"
  | "trace"
  | "traceVerbose"
  | "traceHeaders"
  | "logtime"
  | "logtimeUtc"
  | "logfileSizeLimit"
  | "logfileMaxNum"
  | "logger";

/** Options that stay as they were given, once they are checked. */
type AsGiven =
  | "authorization"
  | "clientAdvertise"
  | "logFile"
  | "mappings"
  | "noAuthUser"
  | "pidFile"
  | "portsFileDir"
  | "serverName";

/** {@link ServerOptions}, checked and with the defaults in place, those of blocks within it too. */
export interface ResolvedServerOptions
  extends Readonly<Required<Pick<ServerOptions, Defaulted>>>,
    Readonly<Pick<ServerOptions, AsGiven>> {
  readonly listen: Required<ListenOptions> | undefined;
  readonly http: Required<ListenOptions> | undefined;
  readonly https: Required<ListenOptions> | undefined;
  readonly accounts: Record<string, AccountOptions>;
  /** Undefined when there is none. */
  readonly systemAccount: string | undefined;
  readonly websocket: ResolvedWebsocketOptions | undefined;
  /** Undefined without JetStream. */
  readonly jetstream: JetStreamOptions | undefined;
  readonly serverTags: string[];
  readonly serverMetadata: Record<string, string>;
  /** How long a client may take to say who it is, in ms: after a TLS handshake a second longer than that may take. */
  readonly authTimeout: number;
  /** By account. */
  readonly accountMappings: ReadonlyMap<string, readonly MappingRule[]>;
  readonly tls: ResolvedTls | undefined;
}

/** What the table makes of the options: each checked by itself. */
type Block = ServerOptions & Required<Pick<ServerOptions, Defaulted>>;

const RESOLVERS: CustomResolvers = {
  ...USER_RESOLVERS,
  jetstream: resolveJetStream,
  logger: resolveLogger,
  mappings: (given, path) => objectOf(given, path),
  systemAccount: (given, path) => textOf(given, path, "must be the name of an account"),
};

/**
 * Checks options against the table of them, and puts the defaults in.
 * @throws ServerError `INVALID_OPTION`, which names the option and what it may be.
 */
export function resolveOptions(options: ServerOptions): ResolvedServerOptions {
  const block = resolveBlock("server", options, "", RESOLVERS) as unknown as Block;
  checkTogether(block);
  const { authorization, accounts = {}, noAuthUser, websocket, tls } = block;
  checkUsers(authorization, accounts, [
    ["noAuthUser", noAuthUser],
    ["websocket.noAuthUser", websocket?.noAuthUser],
  ]);
  const listen = withHost(block.listen, "127.0.0.1");
  // Monitoring listens where clients do, unless it is told another host.
  const host = listen?.host ?? "127.0.0.1";
  return {
    ...(block as Required<Omit<ServerOptions, "tls">>),
    // An empty text, which a file may well hold, is none.
    listen,
    http: withHost(block.http, host),
    https: withHost(block.https, host),
    httpBasePath: canonicalPath(block.httpBasePath),
    clientAdvertise: block.clientAdvertise || undefined,
    noAuthUser: noAuthUser || undefined,
    logFile: block.logFile || undefined,
    pidFile: block.pidFile || undefined,
    portsFileDir: block.portsFileDir || undefined,
    logger: block.logger ?? SILENT,
    accounts,
    systemAccount: block.noSystemAccount ? undefined : block.systemAccount,
    jetstream: block.jetstream === true ? {} : block.jetstream || undefined,
    websocket: websocket && resolveWebsocket(websocket, hasUsers(authorization, accounts)),
    accountMappings: resolveAllMappings(block),
    serverTags: block.serverTags ?? [],
    serverMetadata: block.serverMetadata ?? {},
    tls: tls && resolveTls(tls, "tls"),
    authTimeout: authorization?.timeout ?? (tls ? (tls.timeout ?? 0) + 1_000 : DEFAULTS.authTimeout),
  };
}

function hasUsers(
  authorization: AuthorizationOptions | undefined,
  accounts: Readonly<Record<string, AccountOptions>>,
): boolean {
  return [authorization, ...Object.values(accounts)].some((each) => (each?.users?.length ?? 0) > 0);
}

/** What must hold among options. */
function checkTogether(block: Block): void {
  const { serverName, maxPayload, maxPending, lameDuckDuration, lameDuckGracePeriod } = block;
  if (serverName !== undefined && (serverName === "" || /\s/.test(serverName))) {
    throw invalid("serverName", "must be a text without spaces", serverName);
  }
  const { clientAdvertise = "" } = block;
  if (parseAdvertised(clientAdvertise) === undefined) {
    const rule = 'must be "host" or "host:port", with an IPv6 address in brackets';
    throw invalid("clientAdvertise", rule, clientAdvertise);
  }
  if (maxPayload > maxPending) {
    throw invalid("maxPayload", `must be at most maxPending (${maxPending})`, maxPayload);
  }
  if (lameDuckGracePeriod >= lameDuckDuration) {
    const rule = `must be less than lameDuckDuration (${lameDuckDuration})`;
    throw invalid("lameDuckGracePeriod", rule, lameDuckGracePeriod);
  }
  if (block.http !== undefined && block.https !== undefined) {
    throw invalid("https", "cannot be given together with http");
  }
  if (block.https !== undefined && block.tls === undefined) throw invalid("https", "needs tls");
}

function withHost(listen: ListenOptions | undefined, host: string): Required<ListenOptions> | undefined {
  return listen && ({ ...listen, host: listen.host ?? host } as Required<ListenOptions>);
}

/** As nats-server makes a base path canonical: with a "/" before it, and none at its end. */
function canonicalPath(path: string): string {
  if (path === "") return "";
  return path
    .split("/")
    .filter((part) => part !== "")
    .map((part) => `/${part}`)
    .join("");
}

function resolveLogger(given: unknown): Logger {
  const logger = given as Logger | null;
  for (const method of ["notice", "warn", "error", "debug", "trace"] as const) {
    if (typeof logger?.[method] !== "function")
      throw invalid("logger", `must have a method "${method}"`, given);
  }
  return logger!;
}
