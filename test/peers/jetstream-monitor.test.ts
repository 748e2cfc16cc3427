/** JetStream in monitoring beside nats-server's: the same streams and consumers, asked about in the same ways. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { ask, type Difference, differences, type Monitored, onlyKnown } from "../support/monitor-compare.ts";
import { freePort, RealServer } from "../support/real-server.ts";
import { soon } from "../support/waiting.ts";

/** What is not the same: the first is of 2.15, which is what runs here, while 2.14 is what we are like. */
const KNOWN: readonly Difference[] = [
  ...["api.level", "limits.default_max_consumers", "feature_flags", "server.ver", "server.feature_flags"].map(
    (field) => ({
      field,
      why: "of 2.15",
    }),
  ),
  ...["subscriptions", "sublist_stats", "imports", "exports", "mappings"].map((field) => ({
    field,
    why: "nats-server's services and domain",
  })),
  { field: "gomaxprocs", why: "of Go" },
  ...[
    "in_msgs",
    "in_bytes",
    "out_msgs",
    "in_client_msgs",
    "in_client_bytes",
    "out_client_msgs",
    "received",
    "received_from_clients",
    "out_bytes",
    "out_client_bytes",
    "sent",
    "sent_to_clients",
    "config_digest",
    "server.seq",
    "http_req_stats",
    "port",
  ].map((field) => ({
    field,
    why: "versions, folders and counts are not of one length",
  })),
].flatMap(({ field, why }) =>
  ["", "data.", "statsz.", "account_detail."].flatMap((part) => [
    { field: `${part}${field}`, why },
    { field: `${part}jetstream.stats.${field}`, why },
    { field: `${part}jetstream.${field}`, why },
  ]),
);

const CONFIG = `
  jetstream {
    store_dir: STORE, max_mem: 100M, max_file: 200M, sync_interval: always, domain: D
    limits { max_ack_pending: 1000, duplicate_window: 30s, batch { max_msgs: 5, timeout: 3s, max_inflight_per_stream: 3 } }
  }
  accounts {
    A { jetstream: { max_mem: 10M, max_file: 20M, max_streams: 10 }, users: [{ user: a, password: a }] }
    B { jetstream: true, users: [{ user: b, password: b }] }
    C { users: [{ user: c, password: c }] }
    $SYS { users: [{ user: sys, password: sys }] }
  }
  no_auth_user: a
`;

/** What is made on both, by whom. */
const SETUP: readonly (readonly [user: string, subject: string, body: unknown])[] = [
  [
    "a",
    "$JS.API.STREAM.CREATE.ONE",
    { name: "ONE", subjects: ["one.>"], max_bytes: 100_000, description: "d" },
  ],
  ["a", "$JS.API.STREAM.CREATE.MEM", { name: "MEM", subjects: ["mem"], storage: "memory", max_msgs: 3 }],
  ["b", "$JS.API.STREAM.CREATE.TWO", { name: "TWO", subjects: ["two"], metadata: { k: "v" } }],
  ["b", "$JS.API.STREAM.CREATE.MIR", { name: "MIR", mirror: { name: "TWO" } }],
  ["a", "one.a", "hello"],
  ["a", "one.b", "hello"],
  ["a", "one.a", "hello"],
  ["a", "mem", "hello"],
  ["b", "two", "hello"],
  ["a", "$JS.API.STREAM.MSG.DELETE.ONE", { seq: 2 }],
  [
    "a",
    "$JS.API.CONSUMER.CREATE.ONE.pull",
    { stream_name: "ONE", config: { durable_name: "pull", ack_policy: "explicit", ack_wait: 60e9 } },
  ],
  [
    "a",
    "$JS.API.CONSUMER.CREATE.ONE.other",
    {
      stream_name: "ONE",
      config: {
        name: "other",
        ack_policy: "none",
        deliver_policy: "new",
        description: "x",
        inactive_threshold: 60e9,
      },
    },
  ],
  [
    "a",
    "$JS.API.CONSUMER.CREATE.MEM.m",
    {
      stream_name: "MEM",
      config: {
        durable_name: "m",
        ack_policy: "explicit",
        priority_groups: ["g"],
        priority_policy: "pinned_client",
      },
    },
  ],
  ["a", "$JS.API.CONSUMER.MSG.NEXT.ONE.pull", { batch: 1 }],
  ["a", "$JS.API.STREAM.INFO.NONE", ""],
];

const PATHS = [
  "/jsz",
  "/jsz?accounts=1",
  "/jsz?accounts=true&offset=1",
  "/jsz?accounts=1&limit=1",
  "/jsz?accounts=1&limit=-1",
  "/jsz?accounts=1&offset=-5&limit=1",
  "/jsz?accounts=1&offset=99",
  "/jsz?streams=1",
  "/jsz?streams=1&limit=1",
  "/jsz?consumers=1",
  "/jsz?consumers=1&config=1",
  "/jsz?config=1",
  "/jsz?streams=1&config=true&raft=true",
  "/jsz?consumers=1&direct-consumers=1&raft=1&stream-leader-only=1",
  "/jsz?acc=A",
  "/jsz?acc=A&streams=1",
  "/jsz?acc=B&consumers=1&config=1",
  "/jsz?acc=A&accounts=1&offset=5",
  "/jsz?acc=C",
  "/jsz?acc=C&streams=1",
  "/jsz?acc=NOBODY&accounts=1",
  "/jsz?leader-only=1",
  "/varz",
  "/accountz?acc=A",
  "/accountz?acc=C",
  "/healthz",
  "/healthz?details=1",
  "/healthz?js-enabled-only=1&account=NOBODY",
  "/healthz?js-enabled=1",
  "/healthz?js-server-only=1&account=NOBODY",
  "/healthz?js-meta-only=1",
  "/healthz?account=A",
  "/healthz?account=NOBODY",
  "/healthz?account=NOBODY&details=1",
  "/healthz?account=C",
  "/healthz?account=A&stream=ONE",
  "/healthz?account=A&stream=NONE",
  "/healthz?account=A&stream=NONE&details=true",
  "/healthz?account=B&stream=ONE&consumer=pull",
  "/healthz?account=A&stream=ONE&consumer=pull",
  "/healthz?account=A&stream=ONE&consumer=NONE",
  "/healthz?account=A&stream=ONE&consumer=NONE&details=1",
  "/healthz?account=A&consumer=pull",
  "/healthz?stream=ONE&details=1",
];

const TEXT_PATHS = [
  "/jsz?accounts=x",
  "/jsz?limit=x",
  "/jsz?direct-consumers=2",
  "/healthz?js-server-only=x",
];

/** What is asked in the system account ("ID" is the server's id). */
const REQUESTS: readonly (readonly [subject: string, body?: object])[] = [
  ["$SYS.REQ.SERVER.ID.JSZ"],
  ["$SYS.REQ.SERVER.PING.JSZ", { accounts: true, streams: true, consumer: true, config: true }],
  ["$SYS.REQ.SERVER.PING.JSZ", { account: "A", consumer: true, direct_consumer: true, raft: true }],
  ["$SYS.REQ.SERVER.ID.JSZ", { leader_only: true, offset: 1, limit: 1, accounts: true }],
  ["$SYS.REQ.ACCOUNT.A.JSZ"],
  ["$SYS.REQ.ACCOUNT.A.JSZ", { streams: true, config: true, consumer: true }],
  ["$SYS.REQ.ACCOUNT.A.JSZ", { consumer: true }],
  ["$SYS.REQ.ACCOUNT.C.JSZ"],
  ["$SYS.REQ.ACCOUNT.NOBODY.JSZ"],
  ["$SYS.REQ.SERVER.ID.STATSZ"],
  ["$SYS.REQ.SERVER.ID.VARZ"],
  ["$SYS.REQ.SERVER.ID.HEALTHZ", { account: "A", stream: "NONE" }],
  ["$SYS.REQ.SERVER.ID.HEALTHZ", { account: "A", stream: "ONE", consumer: "x", details: true }],
  ["$SYS.REQ.SERVER.ID.HEALTHZ", { account: "NOBODY", "js-enabled-only": true }],
  ["$SYS.REQ.ACCOUNT.A.INFO"],
];

type Life = { readonly server: Monitored; readonly sys: NatsConnection; readonly name: string };

async function live(server: Monitored): Promise<Life> {
  const users = new Map<string, NatsConnection>();
  for (const user of ["a", "b"]) users.set(user, await connect({ port: server.port, user, pass: user }));
  for (const [user, subject, body] of SETUP) {
    const payload = typeof body === "string" ? body : JSON.stringify(body);
    // The answer to a pull has the subject of the message.
    await users.get(user)!.request(subject, payload, { timeout: 10_000, noMux: true });
  }
  // Headers of sourced messages are not of one length in 2.14 and 2.15: a mirror shows the same fields.
  let messages = 0;
  const look = async (): Promise<void> => {
    ({ messages } = JSON.parse((await ask(server, "/jsz")).text));
    if (messages < 5) await look();
  };
  await soon(look(), "the mirror's message");
  assert.equal(messages, 5);
  for (const connection of users.values()) await connection.close();
  const sys = await connect({ port: server.port, user: "sys", pass: "sys" });
  const { server_name: name } = JSON.parse((await ask(server, "/varz")).text);
  return { server, sys, name };
}

/** What is another on each run: who leads, where files are, times, and connections' numbers. */
function masked(value: unknown, life: Life): unknown {
  const sorted = (list: unknown[]): unknown[] =>
    list.every((each) => typeof each === "object" && each !== null && "name" in each)
      ? [...list].sort((a, b) =>
          String((a as { name: string }).name).localeCompare((b as { name: string }).name),
        )
      : list;
  const text = JSON.stringify(value, (key, each: unknown) => {
    if (key === "active") return typeof each;
    if (typeof each === "string" && each.startsWith("JS_MIRROR_")) return each.slice(0, -8);
    if (key === "store_dir") return "DIR";
    if (["created", "first_ts", "last_ts", "ts", "last_active", "time", "pinned_ts"].includes(key))
      return typeof each;
    if (each === life.name || each === life.sys.info!.server_id) return "SERVER";
    return Array.isArray(each) ? sorted(each) : each;
  });
  return JSON.parse(text);
}

describe("JetStream in monitoring beside nats-server", () => {
  let folder: string;
  let real: RealServer;
  let own: NatsServer;
  let ours: Life;
  let theirs: Life;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "gnatlet-jsmon-"));
    const fileOf = async (name: string): Promise<string> => {
      const file = join(folder, `${name}.conf`);
      await writeFile(file, CONFIG.replace("STORE", JSON.stringify(join(folder, name))));
      return file;
    };
    const port = await freePort();
    real = await RealServer.start(["-c", await fileOf("real"), "-m", String(port)]);
    own = await NatsServer.fromConfigFile(await fileOf("ours"), {
      listen: { host: "127.0.0.1", port: 0 },
      http: { host: "127.0.0.1", port: 0 },
    });
    ours = await live({ port: own.port!, url: own.monitorUrl! });
    theirs = await live({ port: real.port, url: `http://127.0.0.1:${port}` });
  });

  after(async () => {
    await ours?.sys.close();
    await theirs?.sys.close();
    await own?.close();
    await real?.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const path of PATHS) {
    test(path, async () => {
      const [a, b] = [await ask(ours.server, path), await ask(theirs.server, path)];
      assert.deepEqual([a.status, a.type], [b.status, b.type]);
      const found = differences(masked(JSON.parse(a.text), ours), masked(JSON.parse(b.text), theirs), String);
      onlyKnown(path, found, KNOWN);
    });
  }

  for (const path of TEXT_PATHS) {
    test(`${path}, in words`, async () => {
      assert.deepEqual(await ask(ours.server, path), await ask(theirs.server, path));
    });
  }

  test("what is not limited is Go's greatest number", async () => {
    const { text } = await ask(ours.server, "/jsz?acc=B");
    assert.match(text, /"reserved_memory": 18446744073709551615,/);
  });

  for (const [subject, body] of REQUESTS) {
    test(`${subject} ${body === undefined ? "" : JSON.stringify(body)}`, async () => {
      const [a, b] = await Promise.all(
        [ours, theirs].map(async (life) => {
          const msg = await life.sys.request(
            subject.replace(".ID.", `.${life.sys.info!.server_id}.`),
            body && JSON.stringify(body),
            { timeout: 5_000 },
          );
          return masked(msg.json(), life);
        }),
      );
      onlyKnown(subject, differences(a, b, String), KNOWN);
    });
  }
});
