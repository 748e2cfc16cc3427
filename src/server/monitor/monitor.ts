import type { HttpAnswer, HttpRequest } from "../../seams/http.ts";
import { accountz } from "./accountz.ts";
import { accstatz } from "./accstatz.ts";
import { CONN_STATES, connz } from "./connz.ts";
import { MonitorError } from "./errors.ts";
import { gatewayz } from "./gatewayz.ts";
import { goJson } from "./go-format.ts";
import { healthz } from "./healthz.ts";
import { indexPage } from "./index-page.ts";
import { expvarz, ipqueuesz, RAFTZ, STACKSZ } from "./internals.ts";
import { jsz } from "./jsz.ts";
import { leafz } from "./leafz.ts";
import { METRICS_TYPE, metrics } from "./metrics.ts";
import { livePage, PAGE_POLICY } from "./page/page.ts";
import { Query } from "./query.ts";
import { routez } from "./routez.ts";
import type { MonitorState } from "./state.ts";
import { subsz } from "./subsz.ts";
import { varz } from "./varz.ts";

/** Answers one path. Views give the body; the others all of the answer. */
type Endpoint = (state: MonitorState, query: Query, request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;

const TEXT = { "Content-Type": "text/plain; charset=utf-8" };
const HTML = { "Content-Type": "text/html; charset=utf-8" };

/** Names that a JSONP answer may call: what is more than a name could be a script of somebody else's. */
const CALLBACK = /^[\w$.]{1,256}$/;

/** Serves monitoring over HTTP: which view a path asks for, with which options, and how the answer is written. */
export class Monitor {
  readonly #base: string;
  readonly #state: MonitorState;
  readonly #count: (path: string) => void;

  /**
   * @param base - put before every path; "" or such as "/nats".
   * @param count - told which path was asked for.
   */
  constructor(state: MonitorState, base: string, count: (path: string) => void) {
    this.#state = state;
    this.#base = base;
    this.#count = count;
  }

  /** Answers a request, whatever it asks. */
  async answer(request: HttpRequest): Promise<HttpAnswer> {
    const clean = cleanPath(request.path);
    if (clean !== request.path) return moved(clean, request.query);
    const path = this.#within(request.path);
    const endpoint = path === undefined ? undefined : ENDPOINTS[path];
    if (endpoint === undefined || path === undefined) return notFound();
    const counted = COUNTED_AS[path] ?? path;
    if (!UNCOUNTED.has(path)) this.#count(counted);
    try {
      return withCallback(await endpoint(this.#state, new Query(request.query), request), request.query);
    } catch (error) {
      if (!(error instanceof MonitorError)) throw error;
      return { status: error.status, headers: TEXT, body: error.message };
    }
  }

  /** The path after the base path; undefined when it does not begin with that. */
  #within(path: string): string | undefined {
    if (this.#base === "") return path;
    if (path === this.#base) return "/";
    // As with nats-server, the base path with a "/" after it is none: links of the index would lead astray.
    return path.startsWith(`${this.#base}/`) && path.length > this.#base.length + 1
      ? path.slice(this.#base.length)
      : undefined;
  }
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  "/": index,
  "/varz": (state) => json(varz(state)),
  "/connz": (state, query) => {
    const options = {
      sort: query.text("sort"),
      auth: query.flag("auth"),
      ...query.subs(),
      offset: query.int("offset"),
      limit: query.int("limit"),
      cid: query.uint("cid"),
      state: connState(query.text("state")),
      user: query.text("user"),
      acc: query.text("acc"),
      mqtt_client: query.text("mqtt_client"),
    };
    return json(connz(state, options));
  },
  "/subsz": subscriptions,
  "/subscriptionsz": subscriptions,
  "/routez": (state, query) => {
    query.subs();
    return json(routez(state));
  },
  "/gatewayz": (state, query) => {
    query.subs();
    query.flag("accs");
    return json(gatewayz(state));
  },
  "/leafz": (state, query) => {
    query.flag("subs");
    return json(leafz(state));
  },
  "/accountz": (state, query) => json(accountz(state, { account: query.text("acc") })),
  "/accstatz": (state, query) => json(accstatz(state, { include_unused: query.flag("unused") })),
  "/jsz": async (state, query) => {
    const options = {
      accounts: query.flag("accounts"),
      streams: query.flag("streams"),
      consumer: query.flag("consumers"),
      direct_consumer: query.flag("direct-consumers"),
      config: query.flag("config"),
      offset: query.int("offset"),
      limit: query.int("limit"),
      leader_only: query.flag("leader-only"),
      raft: query.flag("raft"),
      stream_leader_only: query.flag("stream-leader-only"),
      newest: query.uint("newest") || undefined,
      account: query.text("acc"),
    };
    return json(await jsz(state, options));
  },
  "/healthz": health,
  "/stacksz": () => ({ status: 200, headers: JSON_HEADERS, body: STACKSZ }),
  "/ipqueuesz": (_state, query) => {
    query.flag("all");
    return json(ipqueuesz());
  },
  "/raftz": () => RAFTZ,
  "/debug/vars": (state) => ({
    status: 200,
    headers: { "Content-Type": "application/json; charset=utf-8" },
    body: goJson(expvarz(state), 2),
  }),
  "/metrics": async (state, query) => ({
    status: 200,
    headers: { "Content-Type": METRICS_TYPE },
    body: await metrics(state, { connzDetailed: query.flag("connz_detailed") }),
  }),
};

const COUNTED_AS: Readonly<Record<string, string>> = { "/subscriptionsz": "/subsz" };
/** nats-server does not count these. */
const UNCOUNTED = new Set(["/stacksz", "/ipqueuesz", "/raftz", "/debug/vars"]);

const JSON_HEADERS = { "Content-Type": "application/json", "Access-Control-Allow-Origin": "*" };

function json(value: unknown, status = 200, indent = 2): HttpAnswer {
  return { status, headers: JSON_HEADERS, body: goJson(value, indent) };
}

function notFound(): HttpAnswer {
  const headers = { ...TEXT, "X-Content-Type-Options": "nosniff" };
  return { status: 404, headers, body: "404 page not found\n" };
}

/** The path without empty tokens, "." and "..": another one is answered with where it is. */
function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") kept.pop();
    else if (part !== "" && part !== ".") kept.push(part);
  }
  return `/${kept.join("/")}${kept.length > 0 && path.endsWith("/") ? "/" : ""}`;
}

function moved(path: string, query: URLSearchParams): HttpAnswer {
  const target = encodeURI(path) + (query.size > 0 ? `?${query}` : "");
  return { status: 307, headers: { ...HTML, Location: target }, body: "" };
}

/** An answer as a call of the function that the query names, for pages that load it as a script. */
function withCallback(answer: HttpAnswer, query: URLSearchParams): HttpAnswer {
  const callback = query.get("callback") ?? "";
  if (callback === "" || answer.headers !== JSON_HEADERS) return answer;
  if (!CALLBACK.test(callback)) throw new MonitorError("callback must be a name: letters, digits, _ $ .");
  const headers = { "Content-Type": "application/javascript", "X-Content-Type-Options": "nosniff" };
  return { status: answer.status, headers, body: `${callback}(${answer.body})` };
}

function subscriptions(state: MonitorState, query: Query): HttpAnswer {
  const options = {
    subscriptions: query.flag("subs"),
    offset: query.int("offset"),
    limit: query.int("limit"),
    account: query.text("acc"),
    test: query.text("test"),
  };
  return json(subsz(state, options));
}

/** The live page for browsers; nats-server's index, which is links, for all others. */
function index({ info, options }: MonitorState, _query: Query, { accept }: HttpRequest): HttpAnswer {
  const base = options.httpBasePath;
  const headers = { ...HTML, Vary: "Accept" };
  if (!accept.includes("text/html")) return { status: 200, headers, body: indexPage(info.version, base) };
  return {
    status: 200,
    headers: { ...headers, "Content-Security-Policy": PAGE_POLICY, "X-Content-Type-Options": "nosniff" },
    body: livePage(base),
  };
}

function connState(text: string): number {
  switch (text.toLowerCase()) {
    case "":
    case "open":
      return CONN_STATES.open;
    case "closed":
      return CONN_STATES.closed;
    case "any":
    case "all":
      return CONN_STATES.all;
    default:
      throw new MonitorError(`Error decoding state for ${text}`);
  }
}

function health(state: MonitorState, query: Query): HttpAnswer {
  const { log } = state;
  const deprecated = query.flag("js-enabled");
  if (deprecated) log.warn("Healthcheck: js-enabled deprecated, use js-enabled-only instead");
  const enabledOnly = query.flag("js-enabled-only");
  const serverOnly = query.flag("js-server-only");
  query.flag("js-meta-only");
  const { status_code: code, ...rest } = healthz(state, {
    "js-enabled": deprecated,
    "js-enabled-only": enabledOnly,
    "js-server-only": serverOnly,
    details: query.flag("details"),
    account: query.text("account"),
    stream: query.text("stream"),
    consumer: query.text("consumer"),
  });
  if (rest.error !== undefined) log.warn(`Healthcheck failed: ${JSON.stringify(rest.error)}`);
  else if (rest.errors !== undefined) log.warn(`Healthcheck failed: ${rest.errors.length} errors`);
  return json(rest, code, 0);
}
