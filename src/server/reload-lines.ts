import { showDuration } from "../protocol/durations.ts";
import type { Logger } from "../seams/logger.ts";
import { friendlyBytes } from "./friendly-bytes.ts";
import { isSame } from "./options/reload.ts";
import type { ResolvedServerOptions } from "./options/resolve.ts";

/** How long a TLS handshake may take where there is no TLS, in ms: nats-server compares with it. */
const TLS_TIMEOUT_MS = 2_000;

/** What is said of one thing after a reload; undefined for nothing. */
type Line = (before: ResolvedServerOptions, now: ResolvedServerOptions) => string | undefined;

/** Says what `text` makes of a value that is another than before. */
function ifChanged<T>(of: (options: ResolvedServerOptions) => T, text: (value: T) => string): Line {
  return (before, now) => {
    const value = of(now);
    return isSame(of(before), value) ? undefined : `Reloaded: ${text(value)}`;
  };
}

/** An option that is told with its value. */
function shown(option: keyof ResolvedServerOptions, name: string): Line {
  return ifChanged(
    (options) => options[option],
    (value) => `${name} = ${value ?? ""}`,
  );
}

function duration(of: (options: ResolvedServerOptions) => number, name: string): Line {
  return ifChanged(of, (value) => `${name} = ${showDuration(value)}`);
}

function seconds(of: (options: ResolvedServerOptions) => number, name: string): Line {
  return ifChanged(of, (ms) => `${name} = ${ms / 1_000}`);
}

/** What is a secret, or has no short form, is named only. */
function named(of: (options: ResolvedServerOptions) => unknown, name: string): Line {
  return ifChanged(of, () => name);
}

/** How much JetStream may hold, where that has changed while it runs. */
function storage(option: "maxMemoryStore" | "maxFileStore", name: string): Line {
  return (before, now) => {
    const bytes = now.jetstream?.[option];
    if (bytes === undefined || before.jetstream === undefined || before.jetstream[option] === bytes) return;
    return `Reloaded: JetStream ${name} = ${friendlyBytes(bytes)}`;
  };
}

/** What a reload says, in nats-server's words and order (reload.go; the order is that of its options). */
const LINES: readonly Line[] = [
  ({ clientAdvertise: before }, { clientAdvertise: now }) =>
    before === now ? undefined : `Reload: client_advertise = ${now ?? ""}`,
  shown("trace", "trace"),
  shown("debug", "debug"),
  shown("traceVerbose", "trace_verbose"),
  shown("traceHeaders", "trace_headers"),
  shown("logtime", "logtime"),
  shown("logtimeUtc", "logtime_utc"),
  shown("maxConnections", "max_connections"),
  // These two it says each time, whether they are others or not.
  () => "Reloaded: authorization users",
  () => "Reloaded: accounts",
  named(({ authorization }) => authorization?.user, "authorization username"),
  named(({ authorization }) => authorization?.password, "authorization password"),
  named(({ authorization }) => authorization?.token, "authorization token"),
  duration(({ pingInterval }) => pingInterval, "ping_interval"),
  shown("pingMax", "ping_max"),
  seconds(({ authTimeout }) => authTimeout, "authorization timeout"),
  shown("maxControlLine", "max_control_line"),
  shown("maxPayload", "max_payload"),
  ifChanged(
    ({ noFastProducerStall }) => noFastProducerStall,
    (off) => `fast producers will ${off ? "not " : ""}be stalled`,
  ),
  named(({ jetstream }) => jetstream !== undefined, "JetStream"),
  storage("maxMemoryStore", "max_mem_store"),
  storage("maxFileStore", "max_file_store"),
  shown("pidFile", "pid_file"),
  shown("portsFileDir", "ports_file_dir"),
  shown("logFile", "log_file"),
  seconds(({ tls }) => tls?.timeout ?? TLS_TIMEOUT_MS, "tls timeout"),
  // Its files may be others.
  ({ tls: before }, { tls: now }) =>
    before === now ? undefined : `Reloaded: tls = ${now === undefined ? "disabled" : "enabled"}`,
  ifChanged(
    ({ tls }) => tls?.pinnedCerts,
    (pinned) => `${pinned?.size ?? 0} pinned_certs`,
  ),
  ifChanged(
    ({ tls }) => (tls?.handshakeFirst ?? false) !== false,
    (first) => `Client TLS handshake first: ${first}`,
  ),
  ifChanged(
    ({ tls }) => (typeof tls?.handshakeFirst === "number" ? tls.handshakeFirst : 0),
    (delay) => `Client TLS handshake first fallback delay: ${showDuration(delay)}`,
  ),
  duration(({ writeDeadline }) => writeDeadline, "write_deadline"),
  shown("maxTracedMsgLen", "max_traced_msg_len"),
  named(({ serverTags }) => serverTags, "tags"),
  named(({ serverMetadata }) => serverMetadata, "metadata"),
];

/** Logs what a reload has changed, in nats-server's words. */
export function logReload(log: Logger, before: ResolvedServerOptions, now: ResolvedServerOptions): void {
  for (const line of LINES) {
    const text = line(before, now);
    if (text !== undefined) log.notice(text);
  }
}
