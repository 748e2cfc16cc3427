import type {
  ClosedConnection,
  ConnectionRecord,
  SubscriptionRecord,
} from "../../broker/connection-record.ts";
import type { ConnInfo } from "./conn-info.ts";

/** A connection that was found, and how to show it. */
export interface Found {
  readonly record: ConnectionRecord | ClosedConnection;
  subscriptions(): readonly SubscriptionRecord[];
  show(): ConnInfo;
}

type Key = (
  record: ConnectionRecord & { stoppedAt?: number; reason?: string },
  now: number,
) => number | string;

/** By what, and whether the least comes first. */
const ORDERS: Readonly<Record<string, { key: Key; ascending?: boolean }>> = {
  cid: { key: ({ id }) => id, ascending: true },
  subs: { key: ({ subscriptions }) => subscriptions },
  pending: { key: ({ pending }) => pending },
  msgs_to: { key: ({ traffic }) => traffic.outMsgs },
  msgs_from: { key: ({ traffic }) => traffic.inMsgs },
  bytes_to: { key: ({ traffic }) => traffic.outBytes },
  bytes_from: { key: ({ traffic }) => traffic.inBytes },
  last: { key: ({ lastActivity }) => lastActivity },
  idle: { key: ({ lastActivity }, now) => now - lastActivity },
  uptime: { key: ({ startedAt, stoppedAt }, now) => (stoppedAt ?? now) - startedAt, ascending: true },
  stop: { key: ({ stoppedAt = 0 }) => stoppedAt },
  reason: { key: ({ reason = "" }) => reason, ascending: true },
  rtt: { key: ({ rtt }) => rtt },
};

/** Whether connections can be sorted by that; "" and "start" are "cid". */
export function isSort(sort: string): boolean {
  return sort === "" || sort === "start" || Object.hasOwn(ORDERS, sort);
}

/** Sorts connections as nats-server does (monitor_sort_opts.go). `sort` is one that {@link isSort} takes. */
export function sortConnections(found: readonly Found[], sort: string, now: number): Found[] {
  const { key, ascending = false } = ORDERS[sort] ?? ORDERS.cid;
  const keyed = found.map((each) => ({ each, value: key(each.record, now) }));
  const sign = ascending ? 1 : -1;
  keyed.sort((a, b) => (a.value === b.value ? 0 : a.value < b.value ? -sign : sign));
  return keyed.map(({ each }) => each);
}
