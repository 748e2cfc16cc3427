import type { JetStream } from "../../jetstream/jetstream.ts";
import type { MonitorState } from "./state.ts";

/** What `/healthz` may be asked for; the names are those of the system account's services. */
export interface HealthzOptions {
  /** The same as `js-enabled-only`, which nats-server would rather be asked. */
  "js-enabled"?: boolean;
  /** Only whether JetStream is there. */
  "js-enabled-only"?: boolean;
  /** Nothing of JetStream. */
  "js-server-only"?: boolean;
  account?: string;
  stream?: string;
  consumer?: string;
  /** Whether errors come as a list. */
  details?: boolean;
}

/** Something that is not well (nats-server `HealthzError`). */
export interface HealthProblem {
  type: "CONNECTION" | "BAD_REQUEST" | "JETSTREAM" | "ACCOUNT" | "STREAM" | "CONSUMER";
  account?: string;
  stream?: string;
  consumer?: string;
  error: string;
}

/** How the server is (nats-server `HealthStatus`). */
export interface HealthStatus {
  status: "ok" | "error" | "unavailable";
  /** The HTTP status that says so; the answer over HTTP leaves it out. */
  status_code: number;
  error?: string;
  errors?: HealthProblem[];
}

/** Whether the server is well, and JetStream, or what of it is asked for. */
export function healthz(state: MonitorState, options: HealthzOptions = {}): HealthStatus {
  const { account = "", stream = "", consumer = "", details = false } = options;
  const sick = (code: number, problems: HealthProblem[]): HealthStatus => {
    if (details) return { status: "error", status_code: code, errors: problems };
    const [{ type, error }] = problems;
    const status = type === "BAD_REQUEST" || type === "CONNECTION" ? "error" : "unavailable";
    return { status, status_code: code, error };
  };
  if (account === "" && stream !== "") {
    const error = '"account" must not be empty when checking stream health';
    return sick(400, [{ type: "BAD_REQUEST", error }]);
  }
  if (stream === "" && consumer !== "") {
    const error = '"stream" must not be empty when checking consumer health';
    return sick(400, [{ type: "BAD_REQUEST", error }]);
  }
  if (!state.ready) return sick(500, [{ type: "CONNECTION", error: "failed to be ready for connections" }]);
  const ok: HealthStatus = { status: "ok", status_code: 200 };
  if (options["js-server-only"] || state.options.jetstream === undefined) return ok;
  const { jetstream } = state;
  if (jetstream === undefined)
    return sick(503, [{ type: "JETSTREAM", error: "JetStream not enabled (10076)" }]);
  if (options["js-enabled-only"] || options["js-enabled"]) return ok;
  const missing = whatIsMissing(jetstream, account, stream, consumer);
  const problems = troubles(jetstream, account, stream);
  // Of a stream that is not well, it is not known which consumers there are.
  if (missing !== undefined && (missing.type !== "CONSUMER" || problems.length === 0))
    return sick(404, [missing]);
  return problems.length === 0 ? ok : sick(503, problems);
}

/** What there is not of what is asked about. */
function whatIsMissing(
  { accounts }: JetStream,
  account: string,
  stream: string,
  consumer: string,
): HealthProblem | undefined {
  if (account === "") return undefined;
  const found = accounts.get(account);
  if (found === undefined) {
    return { type: "ACCOUNT", account, error: `JetStream account ${JSON.stringify(account)} not found` };
  }
  if (stream === "") return undefined;
  const where = `account ${JSON.stringify(account)}`;
  if (!found.streams.has(stream) && !found.offline.has(stream)) {
    const error = `JetStream stream ${JSON.stringify(stream)} not found on ${where}`;
    return { type: "STREAM", account, stream, error };
  }
  if (consumer === "" || found.streams.get(stream)?.consumers.get(consumer) !== undefined) return undefined;
  const error = `JetStream consumer ${JSON.stringify(consumer)} not found for stream ${JSON.stringify(stream)} on ${where}`;
  return { type: "CONSUMER", account, stream, consumer, error };
}

/** The streams that are not served, or take no messages, in order of their names; "" is all. */
function troubles({ accounts }: JetStream, account: string, stream: string): HealthProblem[] {
  const found: HealthProblem[] = [];
  for (const each of accounts.values()) {
    const { name } = each.context;
    if (account !== "" && name !== account) continue;
    const add = (of: string, what: string): void => {
      if (stream !== "" && of !== stream) return;
      const error = `JetStream stream '${name} > ${of}' ${what}`;
      found.push({ type: "STREAM", account: name, stream: of, error });
    };
    for (const of of each.offline.keys()) add(of, "could not be recovered");
    for (const [of, { store }] of each.streams) {
      if (store.refusing !== undefined) add(of, `write error: ${store.refusing.message}`);
    }
  }
  const place = ({ account: of, stream: at }: HealthProblem): string => `${of} ${at}`;
  return found.sort((a, b) => (place(a) < place(b) ? -1 : 1));
}
