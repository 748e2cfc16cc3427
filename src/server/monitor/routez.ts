import { goTime } from "./go-format.ts";
import type { MonitorState } from "./state.ts";

/** Routes to other servers: this one has none. */
export function routez(state: MonitorState) {
  return {
    server_id: state.info.server_id,
    server_name: state.info.server_name,
    now: goTime(state.clock.now()),
    num_routes: 0,
    routes: [],
  };
}
