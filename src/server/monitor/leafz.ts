import { goTime } from "./go-format.ts";
import type { MonitorState } from "./state.ts";

/** Leaf nodes: this server serves none. */
export function leafz(state: MonitorState) {
  return {
    server_id: state.info.server_id,
    now: goTime(state.clock.now()),
    leafnodes: 0,
    leafs: [],
  };
}
