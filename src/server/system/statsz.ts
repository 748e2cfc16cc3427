import { goTime, orOmit } from "../monitor/go-format.ts";
import { jetstreamVarz } from "../monitor/jetstream-stats.ts";
import type { MonitorState } from "../monitor/state.ts";

/** Numbers about the server, as STATSZ tells them (nats-server events.go `ServerStats`). */
export function statsz(state: MonitorState) {
  const { broker, host } = state;
  const { inMsgs, inBytes, outMsgs, outBytes } = broker.traffic();
  const sent = { msgs: outMsgs, bytes: outBytes };
  const received = { msgs: inMsgs, bytes: inBytes };
  // A stream is a client of its account, for nats-server.
  const hasStreams = (name: string): boolean => (state.jetstream?.accounts.get(name)?.streams.size ?? 0) > 0;
  const active = [...broker.accounts.values()].filter(
    ({ name, sessions }) => sessions.size > 0 || hasStreams(name),
  );
  return {
    start: goTime(state.startedAt),
    mem: host.memory(),
    cores: host.cores,
    cpu: host.cpu(),
    connections: broker.sessions.size,
    total_connections: broker.totalConnections,
    active_accounts: active.length,
    subscriptions: broker.subscriptions,
    sent,
    sent_to_clients: sent,
    received,
    received_from_clients: received,
    slow_consumers: broker.slowConsumers,
    slow_consumer_stats: kinds(broker.slowConsumers),
    stale_connections: orOmit(broker.staleConnections),
    stale_connection_stats: kinds(broker.staleConnections),
    stalled_clients: orOmit(broker.stalls),
    active_servers: 1,
    jetstream: jetstreamStatsz(state),
  };
}

/** JetStream, without where it keeps its files. */
function jetstreamStatsz({ jetstream, options }: MonitorState) {
  const varz = jetstreamVarz(jetstream, options.jetstream);
  return varz && { ...varz, config: { ...varz.config, store_dir: undefined } };
}

/** All are clients: there are no other kinds of connections. */
function kinds(clients: number) {
  return clients === 0 ? undefined : { clients, routes: 0, gateways: 0, leafs: 0 };
}
