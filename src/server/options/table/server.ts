import { DEFAULTS } from "../defaults.ts";
import {
  BOOL,
  block,
  custom,
  duration,
  integer,
  NUMBER,
  type OptionRow,
  PORT,
  row,
  STRING,
  STRINGS,
  unserved,
} from "./row.ts";

const OPERATOR =
  "operators, their accounts and resolvers are not served yet, and without them anybody could connect: leave it out, or run nats-server";
const SYSLOG = "there is no syslog here: write to log_file, or to stderr and let the service manager take it";
const PROFILE = "there are no Go profiles here: start node with --inspect or --cpu-prof";

/** The top level of a configuration file. Defaults are nats-server's (behaviour.md A.8). */
export const SERVER: readonly OptionRow[] = [
  row("listen", "listen", { type: "listen", port: 4222 }),
  row("host|net", "listen.host", STRING, { field: "Host" }),
  row("port", "listen.port", PORT, { field: "Port" }),
  row("server_name", "serverName", STRING, { field: "ServerName" }),
  row("client_advertise", "clientAdvertise", STRING, { field: "ClientAdvertise", reload: true }),

  row("http", "http", { type: "listen", port: 8222 }, { field: "HTTPPort" }),
  row("http_port|monitor_port", "http.port", PORT, { field: "HTTPPort" }),
  row("https", "https", { type: "listen", port: 8222 }, { field: "HTTPSPort" }),
  row("https_port", "https.port", PORT, { field: "HTTPSPort" }),
  row("http_base_path", "httpBasePath", STRING, { fallback: DEFAULTS.httpBasePath, field: "HTTPBasePath" }),

  row("max_connections|max_conn", "maxConnections", integer(0), {
    fallback: DEFAULTS.maxConnections,
    clamps: true,
    field: "MaxConn",
    reload: true,
  }),
  row("max_payload", "maxPayload", integer(1), {
    fallback: DEFAULTS.maxPayload,
    zeroIsDefault: true,
    field: "MaxPayload",
    reload: true,
  }),
  row("max_control_line", "maxControlLine", integer(1), {
    fallback: DEFAULTS.maxControlLine,
    zeroIsDefault: true,
    field: "MaxControlLine",
    reload: true,
  }),
  row("max_pending", "maxPending", integer(1, Number.MAX_SAFE_INTEGER), {
    fallback: DEFAULTS.maxPending,
    zeroIsDefault: true,
    field: "MaxPending",
  }),
  row("max_subscriptions|max_subs", "maxSubscriptions", integer(0), {
    fallback: DEFAULTS.maxSubscriptions,
    clamps: true,
    field: "MaxSubs",
  }),
  row("max_sub_tokens|max_subscription_tokens", "maxSubTokens", integer(0, 255), {
    fallback: DEFAULTS.maxSubTokens,
    field: "MaxSubTokens",
  }),
  row("max_traced_msg_len", "maxTracedMsgLen", integer(0), {
    fallback: DEFAULTS.maxTracedMsgLen,
    clamps: true,
    field: "MaxTracedMsgLen",
    reload: true,
  }),
  row("max_closed_clients", "maxClosedClients", integer(0), {
    fallback: DEFAULTS.maxClosedClients,
    zeroIsDefault: true,
    field: "MaxClosedClients",
  }),
  row("ping_interval", "pingInterval", duration(), {
    fallback: DEFAULTS.pingInterval,
    zeroIsDefault: true,
    field: "PingInterval",
    reload: true,
  }),
  row("ping_max", "pingMax", integer(0), {
    fallback: DEFAULTS.pingMax,
    zeroIsDefault: true,
    field: "MaxPingsOut",
    reload: true,
  }),
  row("write_deadline", "writeDeadline", duration(), {
    fallback: DEFAULTS.writeDeadline,
    zeroIsDefault: true,
    field: "WriteDeadline",
    reload: true,
  }),
  row(
    "write_timeout",
    "writeTimeout",
    { type: "oneOf", values: ["default", "close", "retry"] },
    {
      fallback: DEFAULTS.writeTimeout,
      field: "WriteTimeout",
    },
  ),
  row("no_fast_producer_stall", "noFastProducerStall", BOOL, {
    fallback: DEFAULTS.noFastProducerStall,
    field: "NoFastProducerStall",
    reload: true,
  }),
  row("no_header_support", "noHeaderSupport", BOOL, {
    fallback: DEFAULTS.noHeaderSupport,
    field: "NoHeaderSupport",
  }),
  row("disable_sublist_cache|no_sublist_cache", "noSublistCache", BOOL, {
    fallback: DEFAULTS.noSublistCache,
    field: "NoSublistCache",
  }),
  row("", "disableShortFirstPing", BOOL, { fallback: DEFAULTS.disableShortFirstPing, reload: true }),
  row("lame_duck_duration", "lameDuckDuration", duration("text", 30_000), {
    fallback: DEFAULTS.lameDuckDuration,
    zeroIsDefault: true,
    field: "LameDuckDuration",
  }),
  row("lame_duck_grace_period", "lameDuckGracePeriod", duration("text", 0), {
    fallback: DEFAULTS.lameDuckGracePeriod,
    zeroIsDefault: true,
    field: "LameDuckGracePeriod",
  }),

  row("tls", "tls", block("tls"), { field: "TLSConfig", reload: true }),
  row("allow_non_tls", "allowNonTls", BOOL, { fallback: DEFAULTS.allowNonTls, field: "AllowNonTLS" }),
  row("authorization", "authorization", block("authorization"), { field: "Authorization", reload: true }),
  row("no_auth_user", "noAuthUser", STRING, { field: "NoAuthUser" }),
  row("accounts", "accounts", custom("accounts"), { field: "Accounts", reload: true }),
  row("system_account|system", "systemAccount", custom("systemAccount"), {
    fallback: DEFAULTS.systemAccount,
    field: "SystemAccount",
  }),
  row("no_system_account|no_system|no_sys_acc", "noSystemAccount", BOOL, {
    fallback: DEFAULTS.noSystemAccount,
    field: "NoSystemAccount",
  }),
  row("mappings|maps", "mappings", custom("mappings"), { field: "Accounts", reload: true }),

  row("websocket|ws", "websocket", block("websocket"), { field: "Websocket" }),

  row("jetstream", "jetstream", custom("jetstream"), { field: "JetStream", reload: true }),
  row("store_dir|storedir", undefined, STRING, { field: "StoreDir" }),

  row("server_tags", "serverTags", STRINGS, { field: "Tags", reload: true }),
  row("server_metadata", "serverMetadata", { type: "texts" }, { field: "Metadata", reload: true }),

  row("", "logger", custom("logger"), { reload: true }),
  row("debug", "debug", BOOL, { fallback: DEFAULTS.debug, field: "Debug", reload: true }),
  row("trace", "trace", BOOL, { fallback: DEFAULTS.trace, field: "Trace", reload: true }),
  row("trace_verbose", "traceVerbose", BOOL, {
    fallback: DEFAULTS.traceVerbose,
    field: "TraceVerbose",
    reload: true,
  }),
  row("trace_headers", "traceHeaders", BOOL, {
    fallback: DEFAULTS.traceHeaders,
    field: "TraceHeaders",
    reload: true,
  }),
  row("logtime", "logtime", BOOL, { fallback: DEFAULTS.logtime, field: "Logtime", reload: true }),
  row("logtime_utc", "logtimeUtc", BOOL, {
    fallback: DEFAULTS.logtimeUtc,
    field: "LogtimeUTC",
    reload: true,
  }),
  row("logfile|log_file", "logFile", STRING, { field: "LogFile", reload: true }),
  row("logfile_size_limit|log_size_limit", "logfileSizeLimit", integer(0, Number.MAX_SAFE_INTEGER), {
    fallback: DEFAULTS.logfileSizeLimit,
    clamps: true,
    field: "LogSizeLimit",
  }),
  row("logfile_max_num|log_max_num", "logfileMaxNum", integer(0), {
    fallback: DEFAULTS.logfileMaxNum,
    clamps: true,
    field: "LogMaxFiles",
  }),
  row("pidfile|pid_file", "pidFile", STRING, { field: "PidFile", reload: true }),
  row("ports_file_dir", "portsFileDir", STRING, { field: "PortsFileDir", reload: true }),

  unserved("syslog", BOOL, "refused", SYSLOG),
  unserved("remote_syslog", STRING, "refused", SYSLOG),
  unserved("prof_port", NUMBER, "later", PROFILE),
  unserved("prof_block_rate", NUMBER, "later", PROFILE),
  unserved("connect_error_reports", NUMBER, "no effect", "it is about routes and leaf nodes"),
  unserved("reconnect_error_reports", NUMBER, "no effect", "it is about routes and leaf nodes"),
  unserved(
    "feature_flags",
    custom("featureFlags"),
    "no effect",
    "they are of what nats-server itself tries out",
  ),

  unserved(
    "cluster",
    block("cluster"),
    "refused",
    "a cluster is made of nats-servers: run them, and connect this server to them with a leaf node, once it serves leaf nodes",
  ),
  unserved(
    "gateway",
    block("gateway"),
    "refused",
    "gateways join clusters of nats-servers: run them, and connect this server to them with a leaf node, once it serves leaf nodes",
  ),
  unserved(
    "leaf|leafnodes",
    block("leafnodes"),
    "later",
    "leaf nodes are not served yet: none is connected to, and none is let in",
  ),
  unserved("mqtt", block("mqtt"), "later", "MQTT is not served yet: no client can connect with it"),
  unserved("default_js_domain", { type: "texts" }, "later", "JetStream domains are not served yet"),

  unserved(
    "operator|operators|roots|root|root_operators|root_operator",
    custom("operators"),
    "refused",
    OPERATOR,
  ),
  unserved("resolver|account_resolver|accounts_resolver", custom("resolver"), "refused", OPERATOR),
  unserved("resolver_tls", block("tls"), "refused", OPERATOR),
  unserved("resolver_preload", custom("preload"), "refused", OPERATOR),
  unserved("resolver_pinned_accounts", STRINGS, "refused", OPERATOR),
  unserved("trusted|trusted_keys", STRINGS, "refused", OPERATOR),
  unserved("default_sentinel", STRING, "refused", OPERATOR),
  unserved(
    "proxies",
    block("proxies"),
    "refused",
    "trusted proxies are not served yet: clients that come through one could not be told from others",
  ),
  unserved(
    "proxy_protocol",
    BOOL,
    "refused",
    "the PROXY protocol is not served: let the proxy pass connections on as they are",
  ),
  unserved("ocsp", custom("ocsp"), "later", "OCSP staples are not served: clients get the certificate alone"),
  unserved("ocsp_cache", custom("ocspCache"), "no effect", "only `ocsp_peer` uses it"),
];
