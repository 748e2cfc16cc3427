import { GLOBAL_ACCOUNT } from "../../broker/account.ts";
import { subjectsCollide } from "../../protocol/subject.ts";
import { type ConnInfo, type ConnInfoOptions, closedConnInfo, openConnInfo } from "./conn-info.ts";
import { type Found, isSort, sortConnections } from "./connz-sort.ts";
import { MonitorError } from "./errors.ts";
import { goTime } from "./go-format.ts";
import type { MonitorState } from "./state.ts";
import { page } from "./sub-detail.ts";

/** How many connections are listed when nobody says. */
export const CONNZ_LIMIT = 1_024;

/** Which connections: nats-server's numbers. */
export const CONN_STATES = { open: 0, closed: 1, all: 2 } as const;

/** What `/connz` may be asked for; the names are those of the system account's services. */
export interface ConnzOptions extends ConnInfoOptions {
  sort?: string;
  offset?: number;
  limit?: number;
  /** Only this connection; 0 for all. */
  cid?: number;
  mqtt_client?: string;
  /** One of {@link CONN_STATES}. Default open. */
  state?: number;
  user?: string;
  /** Only of this account. */
  acc?: string;
  /** Only those with a subscription that messages on this subject may reach; needs `acc`. */
  filter_subject?: string;
}

/**
 * Connections of the server.
 * @throws MonitorError when the options do not go together.
 */
export function connz(state: MonitorState, options: ConnzOptions = {}) {
  check(options);
  const now = state.clock.now();
  const { acc = "", cid = 0 } = options;
  const offset = Math.max(0, options.offset ?? 0);
  const limit = cid > 0 ? 1 : (options.limit ?? 0) > 0 ? options.limit! : CONNZ_LIMIT;
  const answer = (id: string, total: number, connections: ConnInfo[] | null) => ({
    server_id: id,
    now: goTime(now),
    num_connections: connections?.length ?? 0,
    total,
    offset,
    limit,
    connections,
  });
  // An account that there is not: nats-server says nothing more.
  if (acc !== "" && !state.broker.accounts.has(acc)) return answer("", 0, null);
  const wanted = options.state ?? CONN_STATES.open;
  const open = wanted === CONN_STATES.closed ? [] : openConnections(state, acc, now, options);
  const closed = wanted === CONN_STATES.open ? [] : closedConnections(state, acc, options);
  const sorted = sortConnections(select(open, closed, options), options.sort ?? "", now);
  const shown = page(sorted, offset, limit).map((each) => each.show());
  return answer(state.info.server_id, open.length + closed.length, shown);
}

function check(options: ConnzOptions): void {
  const { sort = "", acc = "", filter_subject: filter = "" } = options;
  const closedOnly = options.state === CONN_STATES.closed;
  if (!isSort(sort)) throw new MonitorError(`invalid sorting option: ${sort}`);
  if ((sort === "stop" || sort === "reason") && !closedOnly) {
    throw new MonitorError(`sort by ${sort} only valid on closed connections`);
  }
  if (filter !== "" && filter !== ">" && acc === "") {
    throw new MonitorError("filter by subject only valid with account filtering");
  }
}

function openConnections(state: MonitorState, acc: string, now: number, options: ConnzOptions): Found[] {
  const sessions = [...state.broker.sessions.values()];
  const wanted = acc === "" ? sessions : sessions.filter((session) => session.account.name === acc);
  return wanted.map((session) => {
    const record = session.record();
    const subscriptions = () => session.subscriptionRecords();
    return { record, subscriptions, show: () => openConnInfo(record, subscriptions(), now, options) };
  });
}

/** nats-server does not note the global account of those that have gone, so that asking for it finds none of them. */
function closedConnections(state: MonitorState, acc: string, options: ConnzOptions): Found[] {
  const closed = state.broker.closed.list();
  const wanted =
    acc === "" ? closed : closed.filter(({ account }) => account === acc && acc !== GLOBAL_ACCOUNT);
  return wanted.map((record) => ({
    record,
    subscriptions: () => record.subscriptionList,
    show: () => closedConnInfo(record, options),
  }));
}

/** Those that the options ask for: the one with the id given, an open one before one that has gone; or all that fit. */
function select(open: readonly Found[], closed: readonly Found[], options: ConnzOptions): Found[] {
  const { cid = 0, user = "", mqtt_client: mqttClient = "", filter_subject: filter = "" } = options;
  // Nobody here speaks MQTT.
  const fits = ({ record }: Found): boolean => mqttClient === "" && (user === "" || record.user === user);
  if (cid > 0) {
    const found = open.filter(({ record }) => record.id === cid);
    if (found.length > 0) return found;
    return closed.filter((each) => each.record.id === cid && fits(each)).slice(0, 1);
  }
  const interested = ({ subscriptions }: Found): boolean =>
    filter === "" ||
    filter === ">" ||
    subscriptions().some(({ subject }) => subjectsCollide(filter, subject));
  return [...open.filter((each) => fits(each) && interested(each)), ...closed.filter(fits)];
}
