import type { MappingRule } from "../../broker/mappings.ts";
import type { Logger } from "../../seams/logger.ts";
import { SILENT } from "../../seams/logger.ts";
import { ServerError } from "../errors.ts";
import { resolveAllMappings } from "./mappings.ts";
import type { ListenOptions, ServerOptions } from "./types.ts";

/** {@link ServerOptions} with the defaults in place. */
export interface ResolvedServerOptions
  extends Required<Pick<ServerOptions, keyof typeof NUMBERS | keyof typeof FLAGS | "logger">>,
    Pick<ServerOptions, (typeof TEXTS)[number]> {
  readonly authorization: ServerOptions["authorization"];
  readonly accounts: ServerOptions["accounts"];
  readonly noAuthUser: string | undefined;
  readonly websocket: ServerOptions["websocket"];
  readonly systemAccount: string | undefined;
  readonly lameDuckDuration: number;
  readonly lameDuckGracePeriod: number;
  readonly clientAdvertise: string | undefined;
  readonly listen: Required<ListenOptions> | undefined;
  readonly serverName: string | undefined;
  /** By account. */
  readonly accountMappings: ReadonlyMap<string, readonly MappingRule[]>;
}

interface NumberRule {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

/** Defaults are nats-server's (behaviour.md A.8); the largest sizes and times are what its 32-bit and timer fields hold. */
const NUMBERS = {
  maxConnections: { fallback: 65_536, min: 1, max: 2 ** 31 - 1 },
  maxPayload: { fallback: 1_048_576, min: 1, max: 2 ** 31 - 1 },
  maxControlLine: { fallback: 4_096, min: 1, max: 2 ** 31 - 1 },
  maxPending: { fallback: 67_108_864, min: 1, max: Number.MAX_SAFE_INTEGER },
  maxSubscriptions: { fallback: 0, min: 0, max: 2 ** 31 - 1 },
  pingInterval: { fallback: 120_000, min: 1, max: 2 ** 31 - 1 },
  pingMax: { fallback: 2, min: 0, max: 2 ** 31 - 1 },
  maxSubTokens: { fallback: 0, min: 0, max: 255 },
  writeDeadline: { fallback: 10_000, min: 1, max: 2 ** 31 - 1 },
  maxTracedMsgLen: { fallback: 0, min: 0, max: 2 ** 31 - 1 },
  logfileSizeLimit: { fallback: 0, min: 0, max: Number.MAX_SAFE_INTEGER },
  logfileMaxNum: { fallback: 0, min: 0, max: 2 ** 31 - 1 },
} as const satisfies Record<string, NumberRule>;

const FLAGS = {
  noFastProducerStall: false,
  noHeaderSupport: false,
  disableShortFirstPing: false,
  debug: false,
  trace: false,
  traceVerbose: false,
  traceHeaders: false,
  logtime: true,
  logtimeUtc: false,
} as const;

/** Names of files and folders. */
const TEXTS = ["logFile", "pidFile", "portsFileDir"] as const;

const KNOWN = new Set([
  ...Object.keys(NUMBERS),
  ...Object.keys(FLAGS),
  ...TEXTS,
  "listen",
  "serverName",
  "logger",
  "authorization",
  "accounts",
  "noAuthUser",
  "websocket",
  "systemAccount",
  "noSystemAccount",
  "lameDuckDuration",
  "lameDuckGracePeriod",
  "clientAdvertise",
  "mappings",
]);

/**
 * Checks options and puts the defaults in.
 * @throws ServerError `INVALID_OPTION`, which names the option and what it may be.
 */
export function resolveOptions(options: ServerOptions): ResolvedServerOptions {
  checkObject(options, "options", KNOWN, "");
  const numbers = {} as Record<keyof typeof NUMBERS, number>;
  for (const [name, rule] of Object.entries(NUMBERS) as [keyof typeof NUMBERS, NumberRule][]) {
    numbers[name] = wholeNumber(options[name], name, rule);
  }
  const flags = {} as Record<keyof typeof FLAGS, boolean>;
  for (const name of Object.keys(FLAGS) as (keyof typeof FLAGS)[]) {
    const given = options[name] ?? FLAGS[name];
    if (typeof given !== "boolean") throw invalid(name, "must be true or false", given);
    flags[name] = given;
  }
  const { serverName } = options;
  if (
    serverName !== undefined &&
    (typeof serverName !== "string" || serverName === "" || /\s/.test(serverName))
  ) {
    throw invalid("serverName", "must be a text without spaces", serverName);
  }
  const texts: Pick<ServerOptions, (typeof TEXTS)[number]> = {};
  for (const name of TEXTS) {
    const given = options[name];
    if (given !== undefined && (typeof given !== "string" || given === ""))
      throw invalid(name, "must be a path", given);
    texts[name] = given;
  }
  if (numbers.maxPayload > numbers.maxPending) {
    throw invalid("maxPayload", `must be at most maxPending (${numbers.maxPending})`, numbers.maxPayload);
  }
  return {
    ...numbers,
    ...flags,
    ...texts,
    serverName,
    authorization: options.authorization,
    accounts: options.accounts,
    noAuthUser: options.noAuthUser,
    websocket: options.websocket,
    systemAccount: options.noSystemAccount ? undefined : (options.systemAccount ?? "$SYS"),
    lameDuckDuration: options.lameDuckDuration ?? 120_000,
    lameDuckGracePeriod: options.lameDuckGracePeriod ?? 10_000,
    clientAdvertise: options.clientAdvertise,
    accountMappings: resolveAllMappings(options),
    listen: resolveListen(options.listen),
    logger: resolveLogger(options.logger),
  };
}

function resolveListen(listen: ListenOptions | undefined): Required<ListenOptions> | undefined {
  if (listen === undefined) return undefined;
  checkObject(listen, "listen", new Set(["host", "port"]), "listen.");
  const host = listen.host ?? "127.0.0.1";
  if (typeof host !== "string" || host === "")
    throw invalid("listen.host", "must be an address or a name", host);
  return { host, port: wholeNumber(listen.port, "listen.port", { fallback: 4222, min: 0, max: 65_535 }) };
}

function resolveLogger(logger: Logger | undefined): Logger {
  if (logger === undefined) return SILENT;
  for (const method of ["notice", "warn", "error", "debug", "trace"] as const) {
    if (typeof logger?.[method] !== "function")
      throw invalid("logger", `must have a method "${method}"`, logger);
  }
  return logger;
}

function checkObject(value: unknown, option: string, known: Set<string>, prefix: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(option, "must be an object", value);
  }
  for (const name of Object.keys(value)) {
    if (!known.has(name))
      throw invalid(prefix + name, `is not an option; there are ${[...known].sort().join(", ")}`);
  }
}

function wholeNumber(given: unknown, option: string, rule: NumberRule): number {
  if (given === undefined) return rule.fallback;
  if (typeof given === "number" && Number.isSafeInteger(given) && given >= rule.min && given <= rule.max)
    return given;
  throw invalid(option, `must be a whole number from ${rule.min} to ${rule.max}`, given);
}

function invalid(option: string, rule: string, given?: unknown): ServerError {
  const shown = given === undefined ? "" : `, not ${show(given)}`;
  return new ServerError("INVALID_OPTION", `option "${option}" ${rule}${shown}`, { option });
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" || typeof value === "function"
    ? `a value of type ${typeof value}`
    : String(value);
}
