import { goTime, nanoseconds, orOmit, uptime } from "./go-format.ts";
import { jetstreamVarz } from "./jetstream-stats.ts";
import type { MonitorState } from "./state.ts";

/** nats-server's default, which it shows where there is no TLS as well; that of upgrades to WebSocket is the same. */
const DEFAULT_TLS_TIMEOUT_MS = 2_000;

/** The server (nats-server `Varz`). */
export function varz(state: MonitorState) {
  const { broker, info, options, host } = state;
  const now = state.clock.now();
  const traffic = broker.traffic();
  return {
    server_id: info.server_id,
    server_name: info.server_name,
    version: info.version,
    proto: info.proto,
    git_commit: info.git_commit,
    go: info.go,
    host: info.host,
    port: info.port,
    auth_required: orOmit(info.auth_required),
    tls_required: orOmit(info.tls_required),
    tls_verify: orOmit(info.tls_verify),
    connect_urls: orOmit(info.connect_urls),
    max_connections: options.maxConnections,
    max_subscriptions: orOmit(options.maxSubscriptions),
    ping_interval: nanoseconds(options.pingInterval),
    ping_max: options.pingMax,
    http_host: (state.http ?? state.https)?.host ?? info.host,
    http_port: state.http?.port ?? 0,
    http_base_path: options.httpBasePath,
    https_port: state.https?.port ?? 0,
    auth_timeout: options.authTimeout / 1_000,
    max_control_line: options.maxControlLine,
    max_payload: options.maxPayload,
    max_pending: options.maxPending,
    cluster: {},
    gateway: {},
    leaf: {},
    mqtt: {},
    websocket: websocketVarz(state),
    jetstream: jetstreamVarz(state.jetstream, options.jetstream) ?? {},
    tls_timeout: (options.tls?.timeout ?? DEFAULT_TLS_TIMEOUT_MS) / 1_000,
    write_deadline: nanoseconds(options.writeDeadline),
    write_timeout: options.writeTimeout === "default" ? undefined : options.writeTimeout,
    start: goTime(state.startedAt),
    now: goTime(now),
    uptime: uptime(now - state.startedAt),
    mem: host.memory(),
    cores: host.cores,
    // JavaScript runs on one of them.
    gomaxprocs: 1,
    cpu: host.cpu(),
    connections: broker.sessions.size,
    total_connections: broker.totalConnections,
    routes: 0,
    remotes: 0,
    leafnodes: 0,
    in_msgs: traffic.inMsgs,
    in_bytes: traffic.inBytes,
    in_client_msgs: traffic.inMsgs,
    in_client_bytes: traffic.inBytes,
    out_msgs: traffic.outMsgs,
    out_bytes: traffic.outBytes,
    out_client_msgs: traffic.outMsgs,
    out_client_bytes: traffic.outBytes,
    slow_consumers: broker.slowConsumers,
    stale_connections: broker.staleConnections,
    stalled_clients: broker.stalls,
    subscriptions: broker.subscriptions,
    http_req_stats: sorted(Object.fromEntries(state.requests)),
    config_load_time: goTime(state.configLoadedAt),
    config_digest: state.configDigest,
    tags: orOmit(options.serverTags),
    metadata: orOmit(sorted(options.serverMetadata)),
    system_account: state.systemAccount,
    slow_consumer_stats: byKind(broker.slowConsumers),
    stale_connection_stats: byKind(broker.staleConnections),
    disk_io_wait_stats: { waiters: 0, waits: 0, wait_time: 0, max_wait_time: 0 },
    tls_cert_not_after: state.tlsNotAfter === undefined ? undefined : goTime(state.tlsNotAfter),
  };
}

/** All connections are those of clients. */
function byKind(clients: number) {
  return { clients, routes: 0, gateways: 0, leafs: 0 };
}

/** The options of the WebSocket listener (nats-server `WebsocketOptsVarz`). */
function websocketVarz({ options: { websocket: options }, websocket }: MonitorState) {
  if (options === undefined) return {};
  const { handshakeTimeout, tls } = options;
  const notAfter = websocket?.tlsNotAfter;
  return {
    host: orOmit(options.host),
    port: orOmit(websocket?.address?.port ?? options.port),
    advertise: orOmit(options.advertise),
    no_auth_user: orOmit(options.noAuthUser),
    jwt_cookie: orOmit(options.jwtCookie),
    // nats-server shows only one that the options name.
    handshake_timeout:
      handshakeTimeout === DEFAULT_TLS_TIMEOUT_MS ? undefined : nanoseconds(handshakeTimeout),
    auth_timeout: orOmit((options.authorization?.timeout ?? 0) / 1_000),
    no_tls: orOmit(options.noTls),
    tls_pinned_certs: orOmit(tls?.pinnedCerts),
    same_origin: orOmit(options.sameOrigin),
    allowed_origins: orOmit(options.allowedOrigins),
    compression: orOmit(options.compression),
    tls_cert_not_after: notAfter === undefined ? undefined : goTime(notAfter),
  };
}

/** By name, as Go writes maps. */
function sorted<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}
