import assert from "node:assert/strict";
import { RawClient } from "./raw-client.ts";

/** A server whose monitoring is compared. */
export interface Monitored {
  readonly port: number;
  readonly url: string;
}

/** An answer over HTTP. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly origin: string;
  readonly text: string;
}

/** Asks a server. */
export async function ask({ url }: Monitored, path: string): Promise<Answer> {
  const response = await fetch(url + path, { redirect: "manual" });
  const { headers, status } = response;
  const type = headers.get("content-type") ?? "";
  return {
    status,
    type,
    origin: headers.get("access-control-allow-origin") ?? "",
    text: await response.text(),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: any JSON.
type Json = any;

async function view(server: Monitored, path: string): Promise<Json> {
  return JSON.parse((await ask(server, path)).text);
}

/** The same life on any server: clients that are there, and two that have gone. */
export class Scenario {
  readonly #clients: RawClient[] = [];
  /** The ids of the connections by name. */
  readonly cids = new Map<string, number>();

  /** @param login - added to each `CONNECT`. */
  static async play(server: Monitored, login: object): Promise<Scenario> {
    const scenario = new Scenario();
    const open = async (options: object, text: string): Promise<RawClient> => {
      const client = await RawClient.open(server.port);
      scenario.#clients.push(client);
      await client.ask(
        `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, ...options, ...login })}\r\n${text}PING\r\n`,
      );
      return client;
    };
    await open(
      { name: "alpha", lang: "go", version: "1.2.3", user: "joe" },
      "SUB foo.* 1\r\nSUB bar q 2\r\nSUB foo.> 3\r\nUNSUB 3 10\r\n",
    );
    await open({ name: "beta<&>", lang: "c", version: "0" }, "SUB bar q 1\r\n");
    await open({ auth_token: "secret" }, "");
    const publisher = await open({ name: "gamma" }, "SUB only.here a\r\n");
    await publisher.ask("PUB foo.a 5\r\nhello\r\nPUB foo.b r 0\r\n\r\nPUB none 3\r\nabc\r\nPING\r\n");
    const leaver = await open({ name: "leaver", user: "sue" }, "SUB gone 1\r\nSUB gone.too q 2\r\n");
    leaver.close();
    const gone = async (name: string): Promise<void> => {
      const seen = async () =>
        (await view(server, "/connz?state=closed")).connections.map((each: Json) => each.name);
      for (const deadline = Date.now() + 5_000; !(await seen()).includes(name); )
        assert.ok(Date.now() < deadline, `waited in vain until ${name} has gone`);
    };
    await gone("leaver");
    const wrong = await open({ name: "wrong" }, "");
    wrong.send("NONSENSE\r\n");
    await wrong.end();
    await gone("wrong");
    for (const state of ["open", "closed"]) {
      for (const { name, cid } of (await view(server, `/connz?state=${state}`)).connections)
        scenario.cids.set(name ?? "unnamed", cid);
    }
    return scenario;
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

/**
 * Values that are another on every server and at every time: only their kind is compared. What waits for a connection that has been told to
 * go is chance.
 */
const MASKED =
  /(^|\.)(server_id|server_name|version|now|start|last_activity|stop|rtt|uptime|idle|mem|cpu|config_load_time|update_time|http_port|go|gomaxprocs|pending_bytes|http_req_stats\.\/connz)$/;

/** A difference that is meant to be there. */
export interface Difference {
  /** The way to the field, with `[]` for elements of lists; `*` stands for one name. */
  readonly field: string;
  readonly why: string;
}

/** Compares two JSON values: names, their order, types, and values. Gives what differs as "way: ours, theirs". */
export function differences(
  ours: Json,
  theirs: Json,
  cids: (cid: number) => unknown,
  way = "",
): [string, string][] {
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    const [a, b] = [inOrder(way, ours), inOrder(way, theirs)];
    if (a.length !== b.length) return [[way, `${a.length} elements, ${b.length} elements`]];
    return a.flatMap((each, i) => differences(each, b[i], cids, `${way}[]`));
  }
  if (isObject(ours) && isObject(theirs)) {
    const found: [string, string][] = [];
    const shared = (one: object, other: object) => Object.keys(one).filter((key) => key in other);
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
      const path = way === "" ? key : `${way}.${key}`;
      if (!(key in ours)) found.push([path, `missing, ${JSON.stringify(theirs[key])}`]);
      else if (!(key in theirs)) found.push([path, `${JSON.stringify(ours[key])}, missing`]);
      else found.push(...differences(ours[key], theirs[key], cids, path));
    }
    const [one, other] = [shared(ours, theirs).join(), shared(theirs, ours).join()];
    if (one !== other) found.push([`${way}(order)`, `${one}; ${other}`]);
    return found;
  }
  if (MASKED.test(way)) return kindOf(ours) === kindOf(theirs) ? [] : [[way, `${ours}, ${theirs}`]];
  if (/(^|\.)cid$/.test(way)) return cids(ours) === cids(theirs) ? [] : [[way, `${ours}, ${theirs}`]];
  if (/(^|connections\[\]\.|websocket\.)port$/.test(way) && ours > 0 && theirs > 0) return [];
  return ours === theirs ? [] : [[way, `${JSON.stringify(ours)}, ${JSON.stringify(theirs)}`]];
}

/** Go goes through maps in any order: lists that are made so are compared in a fixed one. */
function inOrder(way: string, list: Json[]): Json[] {
  if (!/subscriptions_list(_detail)?$|accounts$|account_statz$/.test(way)) return list;
  const key = (each: Json): string =>
    isObject(each) ? [each.acc, each.account, each.subject, each.qgroup, each.sid].join() : String(each);
  return [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function isObject(value: Json): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The kind of a masked value: for texts, which of Go's formats it has. */
function kindOf(value: Json): string {
  if (typeof value !== "string") return typeof value;
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?(Z|[+-]\d\d:\d\d)$/.test(value)) return "time";
  if (/^(\d+y)?(\d+d)?(\d+h)?(\d+m)?[\d.]+(s|ms|µs|ns)$/.test(value)) return "duration";
  return value === "" ? "empty" : "text";
}

/** Fails for differences that are not in the table. Gives the fields of the table that did differ. */
export function onlyKnown(path: string, found: [string, string][], known: readonly Difference[]): string[] {
  const used: string[] = [];
  const unknown = found.filter(([way]) => {
    const match = known.find(({ field }) => matches(field, way));
    if (match !== undefined) used.push(match.field);
    return match === undefined;
  });
  assert.deepEqual(unknown, [], `${path}: what is ours, and what is nats-server's`);
  return used;
}

function matches(field: string, way: string): boolean {
  const pattern = field.replace(/[.[\]()$]/g, "\\$&").replace(/\*/g, "[^.]+");
  return new RegExp(`^${pattern}($|\\.)`).test(way);
}
