import { accountInfo } from "./accountz.ts";
import { accstatz } from "./accstatz.ts";
import type { ConnInfo } from "./conn-info.ts";
import { CONNZ_LIMIT, connz } from "./connz.ts";
import { healthz } from "./healthz.ts";
import { addJetStream } from "./jetstream-metrics.ts";
import { type Labels, MetricsText, type MetricType } from "./metrics-text.ts";
import { routez } from "./routez.ts";
import type { MonitorState } from "./state.ts";
import { subsz } from "./subsz.ts";
import { varz } from "./varz.ts";

/** The media type of Prometheus' text format. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What the metrics are to hold. */
export interface MetricsOptions {
  /** Also each connection on its own. Default false: there may be many. */
  connzDetailed?: boolean;
}

/**
 * Metrics in Prometheus' text format, with the names and labels that the NATS Prometheus exporter gives, so that dashboards made for
 * it fit. `server_id` is the server's id, as with the exporter's `-use_internal_server_id`.
 */
export async function metrics(state: MonitorState, options: MetricsOptions = {}): Promise<string> {
  const text = new MetricsText();
  const id = { server_id: state.info.server_id };
  // Empty objects and lists stand for what is not in use: they yield nothing.
  addView(text, "varz", varz(state), id);
  addView(text, "subsz", subsz(state), id);
  addView(text, "routez", routez(state), id);
  addConnz(text, state, id, options.connzDetailed ?? false);
  addAccounts(text, state, id);
  text.add("gnatsd_leafz_conn_nodes_total", "nodes_total", id, 0);
  const { status } = healthz(state);
  text.add("gnatsd_healthz_status", "status", id, status === "ok" ? 0 : 1);
  text.add("gnatsd_healthz_status_value", "status", { ...id, value: status }, status === "ok" ? 1 : 0);
  await addJetStream(text, state, id);
  return text.toString();
}

/** Texts that become metrics: times as ms since the epoch, others as a label of a 1. */
const LABELS = new Set([
  "server_id",
  "server_name",
  "version",
  "domain",
  "leader",
  "name",
  "start",
  "config_load_time",
]);

/** A view as the exporter takes it: each number is a metric that is named as the way to it. */
function addView(
  text: MetricsText,
  endpoint: string,
  view: object,
  id: Labels,
  prefix: readonly string[] = [],
): void {
  for (const [key, value] of Object.entries(view) as [string, unknown][]) {
    const path = [...prefix, key];
    const name = metricName(path);
    const full = `gnatsd_${endpoint}_${name}`;
    if (typeof value === "number") {
      text.add(full, name, id, value);
    } else if (typeof value === "string" && LABELS.has(key)) {
      const time = key === "start" || key === "config_load_time" ? Date.parse(value) : Number.NaN;
      if (Number.isNaN(time)) text.add(full, name, { ...id, value }, 1);
      else text.add(full, name, id, time);
    } else if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      addView(text, endpoint, value, id, path);
    }
  }
}

function metricName(path: readonly string[]): string {
  return path
    .join("_")
    .replaceAll("/", "_")
    .replace(/_{2,}/g, "_")
    .replace(/^_+|_+$/g, "");
}

function addConnz(text: MetricsText, state: MonitorState, id: Labels, detailed: boolean): void {
  const limit = Math.max(CONNZ_LIMIT, state.broker.sessions.size);
  const view = connz(state, { limit, auth: true });
  const connections = view.connections ?? [];
  const totals = ["num_connections", "total", "offset", "limit"] as const;
  for (const name of totals) text.add(`gnatsd_connz_${name}`, name, id, view[name]);
  for (const name of ["pending_bytes", "subscriptions"] as const) {
    const sum = connections.reduce((total, each) => total + each[name], 0);
    text.add(`gnatsd_connz_${name}`, name, id, sum);
  }
  for (const name of ["in_bytes", "out_bytes", "in_msgs", "out_msgs"] as const) {
    const sum = connections.reduce((total, each) => total + each[name], 0);
    text.add(`gnatsd_connz_${name}`, name, id, sum, "counter");
  }
  if (!detailed) return;
  const now = Date.parse(view.now);
  for (const each of connections) {
    const account = each.account ?? "";
    const labels = {
      ...id,
      cid: String(each.cid),
      kind: each.kind,
      type: each.type,
      ip: each.ip,
      port: String(each.port),
      name: each.name ?? "",
      name_tag: each.name_tag ?? "",
      account,
      account_id: account,
      lang: each.lang ?? "",
      version: each.version ?? "",
      tls_version: each.tls_version ?? "",
      tls_cipher_suite: each.tls_cipher_suite ?? "",
    };
    for (const name of ["pending_bytes", "subscriptions"] as const)
      text.add(`gnatsd_connz_${name}`, name, labels, each[name]);
    for (const name of ["in_bytes", "out_bytes", "in_msgs", "out_msgs"] as const)
      text.add(`gnatsd_connz_${name}`, name, labels, each[name], "counter");
    addTimes(text, labels, each, now);
    const rtt = state.broker.sessions.get(each.cid)?.record().rtt ?? 0;
    text.add("gnatsd_connz_rtt", "response time latency in microseconds", labels, Math.floor(rtt * 1_000));
  }
}

/** When a connection began and was last at work, as ms since the epoch; for how long, in ms. */
function addTimes(text: MetricsText, labels: Labels, each: ConnInfo, now: number): void {
  const [start, last] = [Date.parse(each.start), Date.parse(each.last_activity)];
  const add = (name: string, help: string, value: number, type?: MetricType): void =>
    text.add(`gnatsd_connz_${name}`, help, labels, value, type);
  add("start", "epoch time at which the connection was started", start, "untyped");
  add("last_activity", "epoch time at which the last activity was registred", last, "untyped");
  add("uptime", "uptime duration in milliseconds", now - start, "untyped");
  add("idle", "idle time duration in milliseconds", now - last);
}

function addAccounts(text: MetricsText, state: MonitorState, id: Labels): void {
  for (const each of accstatz(state, { include_unused: true }).account_statz) {
    const labels = { ...id, account: each.acc, account_id: each.acc, account_name: each.name };
    const add = (name: string, value: number): void =>
      text.add(`gnatsd_accstatz_${name}`, name, labels, value);
    add("current_connections", each.conns);
    add("total_connections", each.total_conns);
    add("subscriptions", each.num_subscriptions);
    add("leaf_nodes", each.leafnodes);
    add("sent_messages", each.sent.msgs);
    add("sent_bytes", each.sent.bytes);
    add("received_messages", each.received.msgs);
    add("received_bytes", each.received.bytes);
    add("slow_consumers", each.slow_consumers);
  }
  for (const account of state.broker.accounts.values()) {
    const detail = accountInfo(state, account);
    const labels = { ...id, account_id: account.name, account_name: detail.name_tag };
    const add = (name: string, value: number | boolean | undefined): void =>
      text.add(`gnatsd_accountz_${name}`, name, labels, Number(value ?? 0));
    add("client_connections", detail.client_connections);
    add("leafnode_connections", detail.leafnode_connections);
    add("subscriptions", detail.subscriptions);
    add("is_system", detail.is_system);
    add("expired", detail.expired);
    add("complete", detail.complete);
    add("jetstream_enabled", detail.jetstream_enabled);
    // The exporter has these of accounts with a JWT, and zeros of others.
    add("limit_conn", account.limits.maxConnections);
    add("limit_subs", account.limits.maxSubscriptions);
    add("limit_payload", account.limits.maxPayload);
  }
}
