import type { MonitorState } from "./state.ts";

/** What `/healthz` may be asked for. Of JetStream there is nothing to check. */
export interface HealthzOptions {
  account?: string;
  stream?: string;
  consumer?: string;
  /** Whether errors come as a list. */
  details?: boolean;
}

/** How the server is (nats-server `HealthStatus`). */
export interface HealthStatus {
  status: "ok" | "error";
  /** The HTTP status that says so; the answer over HTTP leaves it out. */
  status_code: number;
  error?: string;
  errors?: { type: "BAD_REQUEST" | "CONNECTION"; error: string }[];
}

/** Whether the server is well. */
export function healthz(state: MonitorState, options: HealthzOptions = {}): HealthStatus {
  const { account = "", stream = "", consumer = "", details = false } = options;
  const sick = (code: number, type: "BAD_REQUEST" | "CONNECTION", error: string): HealthStatus =>
    details
      ? { status: "error", status_code: code, errors: [{ type, error }] }
      : { status: "error", status_code: code, error };
  if (account === "" && stream !== "") {
    return sick(400, "BAD_REQUEST", '"account" must not be empty when checking stream health');
  }
  if (stream === "" && consumer !== "") {
    return sick(400, "BAD_REQUEST", '"stream" must not be empty when checking consumer health');
  }
  if (!state.ready) return sick(500, "CONNECTION", "failed to be ready for connections");
  return { status: "ok", status_code: 200 };
}
