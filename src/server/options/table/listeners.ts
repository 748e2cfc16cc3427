import {
  BOOL,
  block,
  blocks,
  checked,
  custom,
  duration,
  integer,
  type Kind,
  NUMBER,
  type OptionRow,
  PORT,
  row,
  STRING,
  STRINGS,
  unserved,
} from "./row.ts";

const CIPHER: Kind = { type: "oneOf", values: ["chacha", "chachapoly", "aes"] };

/** Any duration that nats-server takes. */
const DURATION = duration("warned", -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

export const WEBSOCKET: readonly OptionRow[] = [
  row("listen", "listen.both", { type: "listen", port: 0 }),
  row("host|net", "host", STRING),
  row("port", "port", PORT),
  row("advertise", "advertise", STRING),
  row("no_tls", "noTls", BOOL, { fallback: false }),
  row("tls", "tls", block("tls")),
  row("same_origin", "sameOrigin", BOOL, { fallback: false }),
  row("allowed_origins|allowed_origin|allow_origins|allow_origin|origins|origin", "allowedOrigins", STRINGS),
  row("handshake_timeout", "handshakeTimeout", duration("either"), { fallback: 2_000, zeroIsDefault: true }),
  row("compression|compress", "compression", BOOL, { fallback: false }),
  row("authorization|authentication", "authorization", block("simpleAuthorization")),
  row("no_auth_user", "noAuthUser", STRING),
  row("jwt_cookie", "jwtCookie", STRING),
  row("user_cookie", "userCookie", STRING),
  row("pass_cookie", "passCookie", STRING),
  row("token_cookie", "tokenCookie", STRING),
  row("headers", "headers", { type: "texts" }),
  row("ping_interval", "pingInterval", duration(), { zeroIsDefault: true }),
];

export const CLUSTER: readonly OptionRow[] = [
  checked("name", STRING),
  checked("listen", { type: "listen", port: 0 }),
  checked("port", PORT),
  checked("host|net", STRING),
  checked("authorization", block("clusterAuthorization")),
  checked("routes", custom("urls")),
  checked("tls", block("tls")),
  checked("cluster_advertise|advertise", STRING),
  checked("no_advertise", BOOL),
  checked("connect_retries", NUMBER),
  checked("connect_backoff", BOOL),
  checked("permissions", block("permissions")),
  checked("pool_size", NUMBER),
  checked("accounts", STRINGS),
  checked("compression", custom("compression")),
  checked("ping_interval", DURATION),
  checked("ping_max", NUMBER),
  checked("write_deadline", DURATION),
  checked("write_timeout", { type: "oneOf", values: ["default", "close", "retry"] }),
];

export const CLUSTER_AUTHORIZATION: readonly OptionRow[] = [
  checked("user|username", STRING),
  checked("pass|password", STRING),
  checked("token", STRING),
  checked("timeout", custom("authTimeout")),
  checked("users", custom("users")),
  checked("default_permissions|default_permission|permissions", block("permissions")),
  checked("auth_callout|auth_hook", block("authCallout")),
  checked("proxy_required", BOOL),
];

export const GATEWAY: readonly OptionRow[] = [
  checked("name", STRING),
  checked("listen", { type: "listen", port: 0 }),
  checked("port", PORT),
  checked("host|net", STRING),
  checked("authorization", block("clusterAuthorization")),
  checked("tls", block("tls")),
  checked("advertise", STRING),
  checked("connect_retries", NUMBER),
  checked("connect_backoff", BOOL),
  checked("gateways", blocks("gatewayRemote")),
  checked("reject_unknown|reject_unknown_cluster", BOOL),
  checked("write_deadline", DURATION),
  checked("write_timeout", { type: "oneOf", values: ["default", "close", "retry"] }),
];

export const GATEWAY_REMOTE: readonly OptionRow[] = [
  checked("name", STRING),
  checked("tls", block("tls")),
  checked("url", custom("url")),
  checked("urls", custom("urls")),
];

export const LEAFNODES: readonly OptionRow[] = [
  checked("listen", { type: "listen", port: 0 }),
  checked("port", PORT),
  checked("host|net", STRING),
  checked("authorization", block("leafAuthorization")),
  checked("remotes", custom("remotes")),
  checked("reconnect|reconnect_delay|reconnect_interval", DURATION),
  checked("dial_timeout", DURATION),
  checked("tls", block("tls")),
  checked("leafnode_advertise|advertise", STRING),
  checked("no_advertise", BOOL),
  checked("min_version|minimum_version", STRING),
  checked("compression", custom("compression")),
  checked("isolate_leafnode_interest|isolate", BOOL),
  checked("write_deadline", DURATION),
  checked("write_timeout", { type: "oneOf", values: ["default", "close", "retry"] }),
];

export const LEAF_AUTHORIZATION: readonly OptionRow[] = [
  checked("user|username", STRING),
  checked("pass|password", STRING),
  checked("nkey", STRING),
  checked("timeout", custom("authTimeout")),
  checked("users", blocks("leafUser")),
  checked("account", STRING),
  checked("proxy_required", BOOL),
];

export const LEAF_USER: readonly OptionRow[] = [
  checked("user|username", STRING),
  checked("pass|password", STRING),
  checked("account", STRING),
  checked("proxy_required", BOOL),
];

export const LEAF_REMOTE: readonly OptionRow[] = [
  checked("no_randomize|dont_randomize", BOOL),
  checked("url|urls", custom("url")),
  checked("account|local", STRING),
  checked("creds|credentials", STRING),
  checked("nkey|seed", STRING),
  checked("tls", block("tls")),
  checked("hub", BOOL),
  checked("deny_imports|deny_import", custom("permissionSubjects")),
  checked("deny_exports|deny_export", custom("permissionSubjects")),
  checked("ws_compress|ws_compression|websocket_compress|websocket_compression", BOOL),
  checked("ws_no_masking|websocket_no_masking", BOOL),
  checked("jetstream_cluster_migrate|js_cluster_migrate", custom("migrate")),
  checked("isolate_leafnode_interest|isolate", BOOL),
  checked("request_isolation", BOOL),
  checked("compression", custom("compression")),
  checked("first_info_timeout", DURATION),
  checked("dial_timeout", DURATION),
  checked("disabled", BOOL),
  checked("proxy", block("leafProxy")),
  checked("ignore_discovered_servers", BOOL),
];

export const LEAF_PROXY: readonly OptionRow[] = [
  checked("url", STRING),
  checked("username", STRING),
  checked("password", STRING),
  checked("timeout", DURATION),
];

export const MQTT: readonly OptionRow[] = [
  checked("listen", { type: "listen", port: 0 }),
  checked("port", PORT),
  checked("host|net", STRING),
  checked("tls", block("tls")),
  checked("authorization|authentication", block("simpleAuthorization")),
  checked("no_auth_user", STRING),
  checked("ack_wait|ackwait", DURATION),
  checked("js_api_timeout|api_timeout", DURATION),
  checked("max_ack_pending|max_pending|max_inflight", { type: "integer", min: 0, max: 65_535 }),
  checked("js_domain", STRING),
  checked("stream_replicas", NUMBER),
  checked("consumer_replicas", custom("anything")),
  checked("consumer_memory_storage", BOOL),
  checked("consumer_inactive_threshold|consumer_auto_cleanup", DURATION),
  checked("reject_qos2_publish", BOOL),
  checked("downgrade_qos2_subscribe", BOOL),
];

export const JETSTREAM: readonly OptionRow[] = [
  row("strict", "strict", BOOL),
  row("store_dir|store|storedir", "storeDir", STRING),
  row("sync_interval|sync", "syncInterval", custom("sync")),
  row("max_memory_store|max_mem_store|max_mem", "maxMemoryStore", custom("storageSize")),
  row("max_file_store|max_file", "maxFileStore", custom("storageSize")),
  row("domain", "domain", STRING),
  checked("enabled|enable", BOOL),
  row("encryption_key|key|ek", "encryptionKey", STRING),
  row("prev_encryption_key|prev_key|prev_ek", "prevEncryptionKey", STRING),
  row("cipher", "cipher", CIPHER, { fallback: "chacha" }),
  checked("extension_hint", STRING),
  row("limits", "limits", block("jetstreamLimits")),
  unserved("tpm", block("jetstreamTpm"), "later", "no key is read from a TPM: give encryption_key"),
  checked("unique_tag", STRING),
  checked("max_outstanding_catchup", custom("storageSize")),
  checked("max_buffered_size", custom("storageSize")),
  checked("max_buffered_msgs", NUMBER),
  row("request_queue_limit", "requestQueueLimit", integer(0, Number.MAX_SAFE_INTEGER)),
  checked("info_queue_limit", NUMBER),
  checked("meta_compact", { type: "integer", min: 0, max: Number.MAX_SAFE_INTEGER }),
  checked("meta_compact_size", custom("storageSize")),
  checked("meta_compact_sync", BOOL),
  checked("max_concurrent_io", { type: "integer", min: 4, max: 8_192 }),
];

export const JETSTREAM_LIMITS: readonly OptionRow[] = [
  row("max_ack_pending", "maxAckPending", NUMBER),
  checked("max_ha_assets", NUMBER),
  row("max_request_batch", "maxRequestBatch", NUMBER),
  row("duplicate_window", "duplicateWindow", duration("text", 0, Number.MAX_SAFE_INTEGER)),
  row("batch", "batch", block("jetstreamBatch")),
];

export const JETSTREAM_BATCH: readonly OptionRow[] = [
  row("max_inflight_per_stream", "maxInflightPerStream", NUMBER),
  row("max_inflight_total", "maxInflightTotal", NUMBER),
  row("max_msgs", "maxMsgs", NUMBER),
  row("timeout", "timeout", duration("text", 0, Number.MAX_SAFE_INTEGER)),
];

export const JETSTREAM_TPM: readonly OptionRow[] = [
  checked("keys_file", STRING),
  checked("encryption_password", STRING),
  checked("srk_password", STRING),
  checked("pcr", NUMBER),
  checked("cipher", CIPHER),
];
