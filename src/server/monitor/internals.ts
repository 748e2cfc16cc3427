import type { HttpAnswer } from "../../seams/http.ts";
import type { MonitorState } from "./state.ts";

/** What there is instead of the stacks of Go's routines. */
export const STACKSZ =
  "All connections are served by one event loop: there are no stacks of others to show.\n";

/** The answer for Raft groups, of which a server without JetStream has none. */
export const RAFTZ: HttpAnswer = {
  status: 404,
  headers: { "Content-Type": "text/plain; charset=utf-8" },
  body: "No Raft nodes registered",
};

/** The queues between Go's routines: there are none. */
export function ipqueuesz() {
  return {};
}

/** Variables of the process (Go's `expvar`), as far as they have a meaning here. The command line is not told: it may be another program's. */
export function expvarz(state: MonitorState) {
  const memory = state.host.memory();
  return { cmdline: [], memstats: { Sys: memory, NumGC: 0 } };
}
