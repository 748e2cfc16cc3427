import type {
  AuthorizationOptions,
  ListenOptions,
  ServerOptions,
  TlsOptions,
} from "../server/options/types.ts";
import type { Flags } from "./flag-table.ts";

/** Thrown by {@link flagOptions}: flags that do not go together, in nats-server's words. */
export class FlagError extends Error {
  override readonly name = "FlagError";
}

/**
 * The server options that flags ask for: only what was given, so that it can be laid over those of a file. Empty texts and
 * port 0 ask for nothing, as with nats-server; port -1 is a free one.
 *
 * @throws FlagError
 */
export function flagOptions(flags: Flags): ServerOptions {
  const options: ServerOptions = {};
  const listen = listenOptions(flags);
  if (listen !== undefined) options.listen = listen;
  if (flags.serverName) options.serverName = checkName(flags.serverName);
  if (flags.clientAdvertise) options.clientAdvertise = flags.clientAdvertise;
  if (flags.httpPort) options.http = { port: portOf(flags.httpPort) };
  if (flags.httpsPort) options.https = { port: portOf(flags.httpsPort) };
  if (flags.pidFile) options.pidFile = flags.pidFile;
  if (flags.portsFileDir) options.portsFileDir = flags.portsFileDir;
  logOptions(flags, options);
  const authorization = authorizationOptions(flags);
  if (authorization !== undefined) options.authorization = authorization;
  if (flags.jetstream) options.jetstream = flags.storeDir ? { storeDir: flags.storeDir } : true;
  if (flags.tls === false) options.tls = undefined;
  else if (TLS_FLAGS.some((flag) => flags[flag] !== undefined)) options.tls = tlsOptions(flags);
  return options;
}

const TLS_FLAGS = ["tls", "tlsVerify", "tlsCert", "tlsKey", "tlsCaCert"] as const;

function checkName(name: string): string {
  if (name.includes(" ")) throw new FlagError("server name cannot contain spaces");
  return name;
}

function listenOptions(flags: Flags): ListenOptions | undefined {
  const listen: ListenOptions = {};
  if (flags.host) listen.host = flags.host;
  if (flags.port) listen.port = portOf(flags.port);
  return listen.host === undefined && listen.port === undefined ? undefined : listen;
}

function portOf(port: number): number {
  return port === -1 ? 0 : port;
}

function logOptions(flags: Flags, options: ServerOptions): void {
  if (flags.logFile) options.logFile = flags.logFile;
  if (flags.logSizeLimit) options.logfileSizeLimit = Math.max(0, flags.logSizeLimit);
  if (flags.logtime !== undefined) options.logtime = flags.logtime;
  if (flags.logtimeUtc !== undefined) options.logtimeUtc = flags.logtimeUtc;
  if (flags.maxTracedMsgLen) options.maxTracedMsgLen = Math.max(0, flags.maxTracedMsgLen);
  if (flags.debug !== undefined) options.debug = flags.debug;
  if (flags.trace !== undefined) options.trace = flags.trace;
  // Of those that contradict each other the last of these applies, wherever it stands (Go visits flags by name).
  if (flags.debugAndTrace !== undefined) options.debug = options.trace = flags.debugAndTrace;
  const all = flags.debugAndVerboseTrace;
  if (all !== undefined) options.debug = options.trace = options.traceVerbose = all;
  if (flags.verboseTrace !== undefined) options.trace = options.traceVerbose = flags.verboseTrace;
}

/** A token is all that counts when there is one; a password without a user counts for nothing (nats-server auth.go). */
function authorizationOptions(flags: Flags): AuthorizationOptions | undefined {
  if (flags.auth) return { token: flags.auth };
  if (flags.user) return { user: flags.user, password: flags.pass ?? "" };
  return undefined;
}

function tlsOptions(flags: Flags): TlsOptions {
  if (!flags.tlsCert) throw new FlagError("TLS Server certificate must be present and valid");
  if (!flags.tlsKey) throw new FlagError("TLS Server private key must be present and valid");
  const tls: TlsOptions = { certFile: flags.tlsCert, keyFile: flags.tlsKey };
  if (flags.tlsCaCert) tls.caFile = flags.tlsCaCert;
  if (flags.tlsVerify) tls.verify = true;
  return tls;
}

/** What the command does where nothing is said: clients on every address of the machine. */
export const COMMAND_DEFAULTS: ServerOptions = { listen: { host: "0.0.0.0", port: 4222 } };
