import { MonitorError } from "./errors.ts";
import { goTime } from "./go-format.ts";
import type { MonitorState } from "./state.ts";

/** What `/jsz` may be asked for, as far as it matters for a server without JetStream. */
export interface JszOptions {
  leader_only?: boolean;
}

/**
 * JetStream: this server has none, and answers as a nats-server does where it is off.
 * @throws MonitorError when only the leader of a cluster is to answer.
 */
export function jsz(state: MonitorState, options: JszOptions = {}) {
  if (options.leader_only) throw new MonitorError("filtered response: not leader");
  return {
    memory: 0,
    storage: 0,
    reserved_memory: 0,
    reserved_storage: 0,
    accounts: 0,
    ha_assets: 0,
    api: { level: 0, total: 0, errors: 0 },
    server_id: state.info.server_id,
    now: goTime(state.clock.now()),
    disabled: true,
    config: { max_memory: 0, max_storage: 0 },
    streams: 0,
    consumers: 0,
    messages: 0,
    bytes: 0,
    total: 0,
  };
}
