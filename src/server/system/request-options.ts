import type { MonitorState } from "../monitor/state.ts";

/** The body of a request: an object of options, whose names are nats-server's. */
export type Json = Readonly<Record<string, unknown>>;

/** What options must be, where they are given. */
const TYPES = {
  server_name: "string",
  cluster: "string",
  host: "string",
  exact_match: "boolean",
  tags: "strings",
  domain: "string",
  sort: "string",
  auth: "boolean",
  subscriptions: "boolean",
  subscriptions_detail: "boolean",
  offset: "number",
  limit: "number",
  cid: "number",
  mqtt_client: "string",
  state: "number",
  user: "string",
  acc: "string",
  filter_subject: "string",
  account: "string",
  test: "string",
  streams: "boolean",
  stream: "string",
  // A flag of JSZ, and a name for HEALTHZ.
  consumer: "boolean or string",
  direct_consumer: "boolean",
  config: "boolean",
  leader_only: "boolean",
  raft: "boolean",
  stream_leader_only: "boolean",
  newest: "number",
  "js-enabled": "boolean",
  "js-enabled-only": "boolean",
  "js-server-only": "boolean",
  // A flag of JSZ, and a list of STATZ.
  accounts: "boolean or strings",
  include_unused: "boolean",
  details: "boolean",
} as const satisfies Readonly<Record<string, string>>;

type OptionName = keyof typeof TYPES;

/** Reads the body of a request; an empty one has no options, and null leaves an option out, as in Go. The error says what is wrong with it. */
export function readOptions(body: string): Json | Error {
  if (body === "") return {};
  let options: unknown;
  try {
    options = JSON.parse(body);
  } catch (error) {
    return new Error(`the body is not JSON: ${(error as Error).message}`);
  }
  if (options === null) return {};
  if (typeof options !== "object" || Array.isArray(options))
    return new Error("the body must be a JSON object");
  const given = Object.entries(options).filter(([, value]) => value !== null);
  for (const [name, value] of given) {
    if (Object.hasOwn(TYPES, name) && !hasType(value, TYPES[name as OptionName]))
      return wrongType(name as OptionName, value, TYPES[name as OptionName]);
  }
  return Object.fromEntries(given);
}

/** What is wrong with an option that is of another type than its own. */
export function wrongType(name: OptionName, value: unknown, type: string): Error {
  return new Error(`json: cannot unmarshal ${kindOf(value)} into field "${name}", which must be ${type}`);
}

/** Whether the request is for this server, by the filters among its options (nats-server `filterRequest`). */
export function matchesFilter(state: MonitorState, options: Json): boolean {
  const { info } = state;
  const exact = options.exact_match === true;
  const fits = (wanted: unknown, own: string): boolean => {
    if (typeof wanted !== "string" || wanted === "") return true;
    return exact ? own === wanted : own.includes(wanted);
  };
  if (!fits(options.server_name, info.server_name) || !fits(options.host, info.host)) return false;
  if (!fits(options.cluster, info.cluster ?? "")) return false;
  const tags = Array.isArray(options.tags) ? options.tags : [];
  const own = state.options.serverTags ?? [];
  if (!tags.every((tag) => own.includes(String(tag).toLowerCase()))) return false;
  return options.domain === undefined || options.domain === "";
}

function hasType(value: unknown, type: string): boolean {
  if (type.endsWith("strings") && Array.isArray(value))
    return value.every((each) => typeof each === "string");
  return type.split(" or ").includes(typeof value);
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}
