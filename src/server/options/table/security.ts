import {
  BOOL,
  block,
  blocks,
  checked,
  custom,
  duration,
  integer,
  MAX_32,
  NUMBER,
  type OptionRow,
  row,
  STRING,
  STRINGS,
  unserved,
} from "./row.ts";

const CERT_STORE =
  "the certificate store of Windows is not read: export the certificate and name its files with cert_file and key_file";
const PROXY =
  "trusted proxies are not served yet: clients that come through one could not be told from others";

/** A `tls` block of a listener. */
export const TLS: readonly OptionRow[] = [
  row("cert_file", "certFile", STRING),
  row("key_file", "keyFile", STRING),
  row("certs|certificates", "certs", custom("certificates")),
  row("ca_file", "caFile", STRING),
  row("verify", "verify", BOOL, { fallback: false }),
  row("timeout", "timeout", duration("either"), { fallback: 2_000, zeroIsDefault: true }),
  row("handshake_first|first|immediate", "handshakeFirst", custom("handshakeFirst"), { fallback: false }),
  row("cipher_suites", "cipherSuites", custom("cipherSuites")),
  row("allow_insecure_cipher_suites", "allowInsecureCipherSuites", BOOL, { fallback: false }),
  row("curve_preferences", "curvePreferences", custom("curves")),
  row("min_version", "minVersion", custom("minVersion"), { fallback: "1.2" }),
  row("pinned_certs", "pinnedCerts", custom("pinnedCerts")),
  row("connection_rate_limit", "connectionRateLimit", integer(0), { fallback: 0, clamps: true }),
  unserved("insecure", BOOL, "no effect", "it is for connections that a server makes"),
  unserved(
    "verify_and_map",
    BOOL,
    "refused",
    "users are not found by their certificates yet: use verify, and names and passwords",
  ),
  unserved("verify_cert_and_check_known_urls", BOOL, "no effect", "it is for clusters and gateways"),
  unserved("cert_store", STRING, "refused", CERT_STORE),
  unserved("cert_match_by", STRING, "refused", CERT_STORE),
  unserved("cert_match", STRING, "refused", CERT_STORE),
  unserved("ca_certs_match", custom("anything"), "refused", CERT_STORE),
  unserved("cert_match_skip_invalid", BOOL, "refused", CERT_STORE),
  unserved(
    "ocsp_peer",
    custom("ocspPeer"),
    "refused",
    "client certificates are not looked up by OCSP: one that was revoked would be let in",
  ),
];

export const AUTHORIZATION: readonly OptionRow[] = [
  row("user|username", "user", STRING),
  row("pass|password", "password", STRING),
  row("token", "token", STRING),
  row("users", "users", custom("users")),
  row("default_permissions|default_permission|permissions", "defaultPermissions", block("permissions")),
  row("timeout", "timeout", custom("authTimeout")),
  unserved(
    "auth_callout|auth_hook",
    block("authCallout"),
    "refused",
    "there is no auth callout yet: without it nobody would be asked",
  ),
  unserved("proxy_required", BOOL, "refused", PROXY),
];

export const USER: readonly OptionRow[] = [
  row("user|username", "user", STRING),
  row("pass|password", "password", STRING),
  row("permissions|permission|authorization", "permissions", block("permissions")),
  row("allowed_connection_types|connection_types|clients", "allowedConnectionTypes", STRINGS),
  unserved("nkey", STRING, "later", "users with an nkey are not served yet: they cannot connect"),
  unserved("proxy_required", BOOL, "refused", PROXY),
];

export const PERMISSIONS: readonly OptionRow[] = [
  row("publish|pub|import", "publish", custom("publishPermission")),
  row("subscribe|sub|export", "subscribe", custom("subscribePermission")),
  row("allow_responses|publish_allow_responses", "allowResponses", custom("responses")),
];

export const RESPONSES: readonly OptionRow[] = [
  row("max|max_msgs|max_messages|max_responses", "max", integer(-MAX_32)),
  row("expires|expiration|ttl", "expires", duration("text", -MAX_32)),
];

export const ACCOUNT: readonly OptionRow[] = [
  row("users", "users", custom("users")),
  row("default_permissions", "defaultPermissions", block("permissions")),
  row("mappings|maps", "mappings", custom("mappings")),
  row("limits", "limits", block("accountLimits")),
  row("msg_trace|trace_dest", "msgTrace", custom("msgTrace")),
  unserved("nkey", custom("nkey"), "no effect", "it names the account where operators do"),
  unserved(
    "exports",
    custom("exports"),
    "later",
    "exports and imports between accounts are not served yet: nothing crosses from one to another",
  ),
  unserved(
    "imports",
    custom("imports"),
    "later",
    "exports and imports between accounts are not served yet: nothing crosses from one to another",
  ),
  row("jetstream", "jetstream", custom("accountJetstream")),
];

export const ACCOUNT_LIMITS: readonly OptionRow[] = [
  row("max_connections|max_conn", "maxConnections", integer(-1), { clamps: true }),
  row("max_subscriptions|max_subs", "maxSubscriptions", integer(-1), { clamps: true }),
  row("max_payload|max_pay", "maxPayload", integer(-1), { clamps: true }),
  row("max_leafnodes|max_leafs", "maxLeafnodes", integer(-1), { clamps: true }),
];

/** The `authorization` of WebSocket and MQTT. */
export const SIMPLE_AUTHORIZATION: readonly OptionRow[] = [
  row("user|username", "user", STRING),
  row("pass|password", "password", STRING),
  row("token", "token", STRING),
  row("timeout", "timeout", duration("either"), { zeroIsDefault: true }),
];

export const AUTH_CALLOUT: readonly OptionRow[] = [
  checked("issuer", STRING),
  checked("account|acc", STRING),
  checked("auth_users|users", STRINGS),
  checked("xkey|key", STRING),
  checked("allowed_accounts", STRINGS),
];

export const PROXIES: readonly OptionRow[] = [checked("trusted", blocks("trustedProxy"))];

export const TRUSTED_PROXY: readonly OptionRow[] = [checked("key|public_key", STRING)];

export const ACCOUNT_JETSTREAM: readonly OptionRow[] = [
  row("max_memory|max_mem|mem|memory", "maxMemory", NUMBER),
  row("max_store|max_file|max_disk|store|disk", "maxStore", NUMBER),
  row("max_streams|streams", "maxStreams", NUMBER),
  row("max_consumers|consumers", "maxConsumers", NUMBER),
  row("max_bytes_required|max_stream_bytes|max_bytes", "maxBytesRequired", BOOL),
  row("mem_max_stream_bytes|memory_max_stream_bytes", "memMaxStreamBytes", NUMBER),
  row("disk_max_stream_bytes|store_max_stream_bytes", "diskMaxStreamBytes", NUMBER),
  row("max_ack_pending", "maxAckPending", NUMBER),
  checked("cluster_traffic", { type: "oneOf", values: ["system", "owner"] }),
];
