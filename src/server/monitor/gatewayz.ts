import { goTime } from "./go-format.ts";
import type { MonitorState } from "./state.ts";

/** Gateways to other clusters: this server has none. */
export function gatewayz(state: MonitorState) {
  return {
    server_id: state.info.server_id,
    now: goTime(state.clock.now()),
    outbound_gateways: {},
    inbound_gateways: {},
  };
}
