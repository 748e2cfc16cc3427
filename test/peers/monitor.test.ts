import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { wsconnect } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { NatsServer, type ServerOptions } from "../../src/runtime/node/index.ts";
import {
  type Answer,
  ask,
  type Difference,
  differences,
  type Monitored,
  onlyKnown,
  Scenario,
} from "../support/monitor-compare.ts";
import { freePort, RealServer } from "../support/real-server.ts";
import { certificate, identity, pem, tlsFile } from "../support/tls-files.ts";
import { websocketFactory } from "../support/websocket-client.ts";

/**
 * Where monitoring is not the same as nats-server's (2.15 is what runs here, 2.14.5 what we are like). Names, their order, types, and
 * values of all else are compared.
 */
const KNOWN: readonly Difference[] = [
  { field: "feature_flags", why: "flags of JetStream, which is not here" },
  { field: "config_digest", why: "nats-server was started with a file" },
];

const JSON_PATHS = [
  "/varz",
  "/connz",
  "/connz?auth=1",
  "/connz?subs=1",
  "/connz?subs=true&auth=true",
  "/connz?subs=detail",
  "/connz?subs=DETAIL&state=closed",
  "/connz?state=closed",
  "/connz?state=CLOSED&auth=1&subs=1",
  "/connz?state=any&auth=1",
  "/connz?state=all&limit=2&offset=1",
  "/connz?limit=2",
  "/connz?limit=-5&offset=-3",
  "/connz?offset=100",
  "/connz?user=joe&auth=1",
  "/connz?user=nobody",
  "/connz?user=sue&state=any",
  "/connz?acc=$G",
  "/connz?acc=$G&state=closed",
  "/connz?acc=$G&state=any",
  "/connz?acc=NOBODY",
  "/connz?mqtt_client=x",
  "/connz?cid=<alpha>&subs=1",
  "/connz?cid=<leaver>",
  "/connz?cid=<leaver>&state=any",
  "/connz?cid=<alpha>&state=closed",
  "/connz?cid=99999",
  ...["cid", "start", "subs", "msgs_to", "msgs_from", "bytes_to", "bytes_from"].map(
    (sort) => `/connz?sort=${sort}&limit=1`,
  ),
  ...["pending", "last", "idle", "uptime", "rtt"].map((sort) => `/connz?sort=${sort}&limit=0&cid=<beta<&>>`),
  "/connz?sort=stop&state=closed",
  "/connz?sort=reason&state=closed",
  "/subsz",
  "/subscriptionsz",
  "/subsz?subs=1",
  "/subsz?limit=&offset=",
  "/subsz?subs=1&test=foo.a",
  "/subsz?subs=1&acc=$G",
  "/subsz?subs=1&acc=NOBODY",
  "/leafz",
  "/leafz?subs=1&acc=$G",
  "/routez",
  "/routez?subs=detail",
  "/gatewayz",
  "/gatewayz?accs=1&acc_name=$G&gw_name=A",
  "/accountz",
  "/accountz?acc=$G",
  "/connz?acc=A&auth=1",
  "/connz?acc=A&auth=1&state=closed&subs=1",
  "/connz?acc=A&state=any&subs=detail",
  "/connz?user=joe&state=any&auth=1",
  "/subsz?subs=1&acc=A&test=foo.a",
  "/accstatz",
  "/accstatz?unused=1",
  "/jsz",
  "/jsz?acc=$G&accounts=1&streams=1&consumers=1&config=1&offset=1&limit=1&raft=1",
  "/healthz",
  "/healthz?details=1",
  "/healthz?js-enabled-only=1&js-server-only=1&js-enabled=1&js-meta-only=1",
  "/healthz?account=A",
  "/healthz?stream=S",
  "/healthz?stream=S&details=1",
  "/healthz?consumer=C",
  "/healthz?account=A&consumer=C&details=t",
  "/ipqueuesz",
];

/** Answered in words, which are the same. */
const TEXT_PATHS = [
  "/nosuch",
  "/nosuch/",
  "/varz/",
  "/raftz",
  "/raftz?acc=A",
  "/connz?sort=foo",
  "/connz?sort=stop",
  "/connz?sort=reason&state=any",
  "/connz?auth=maybe",
  "/connz?subs=perhaps",
  "/connz?limit=x",
  "/connz?offset=1.5",
  "/connz?offset=99999999999999999999",
  "/connz?cid=-1",
  "/connz?cid=99999999999999999999",
  "/connz?state=half%20open",
  "/connz?sort=foo&auth=maybe",
  "/subsz?test=foo.*",
  "/subsz?subs=2",
  "/subsz?offset=%22",
  "/accountz?acc=NOBODY",
  "/accstatz?unused=2",
  "/jsz?leader-only=1",
  "/jsz?streams=yes",
  "/jsz?offset=a",
  "/leafz?subs=detail",
  "/gatewayz?accs=all",
  "/routez?subs=x",
  "/healthz?details=x",
  "/ipqueuesz?all=x",
];

/** Servers that are compared: with one account for all, and with users in an account of theirs. */
const SERVERS: readonly { name: string; config: string; options: ServerOptions; login: object }[] = [
  { name: "by default", config: "", options: {}, login: {} },
  {
    name: "with users and mappings",
    config: `
      server_tags: [a, b]
      server_metadata: { zone: "1" }
      ping_interval: 90
      write_timeout: retry
      max_subs: 100
      websocket { listen: "127.0.0.1:-1", no_tls: true, compression: true, allowed_origins: ["http://a.b"] }
      http_base_path: /nats
      authorization { timeout: 3 }
      accounts { A {
        users: [{ user: joe, password: pass }]
        mappings: { "old": "new", "w.*": [{ destination: "v.$1", weight: 30 }, { destination: "x.$1", weight: 20 }] }
      } }`,
    options: {
      serverTags: ["a", "b"],
      serverMetadata: { zone: "1" },
      pingInterval: 90_000,
      writeTimeout: "retry",
      maxSubscriptions: 100,
      websocket: {
        host: "127.0.0.1",
        port: 0,
        noTls: true,
        compression: true,
        allowedOrigins: ["http://a.b"],
      },
      httpBasePath: "/nats",
      authorization: { timeout: 3_000 },
      accounts: {
        A: {
          users: [{ user: "joe", password: "pass" }],
          mappings: {
            old: "new",
            "w.*": [
              { destination: "v.$1", weight: 30 },
              { destination: "x.$1", weight: 20 },
            ],
          },
        },
      },
    },
    login: { user: "joe", pass: "pass" },
  },
];

for (const { name, config, options, login } of SERVERS)
  describe(`monitoring beside nats-server, ${name}`, () => {
    let folder: string;
    let real: RealServer;
    let own: NatsServer;
    let pair: { ours: Monitored; theirs: Monitored };
    let lives: { ours: Scenario; theirs: Scenario };
    const used = new Set<string>();

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "gnatlet-monitor-"));
      const file = join(folder, "server.conf");
      await writeFile(file, `no_system_account: true\nmax_closed_clients: 2\n${config}\n`);
      const port = await freePort();
      real = await RealServer.start(["-c", file, "-m", String(port)]);
      own = await NatsServer.start({
        ...options,
        listen: { port: 0 },
        http: { port: 0 },
        noSystemAccount: true,
        maxClosedClients: 2,
      });
      pair = {
        ours: { port: own.port!, url: own.monitorUrl! },
        theirs: { port: real.port, url: `http://127.0.0.1:${port}${options.httpBasePath ?? ""}` },
      };
      lives = {
        ours: await Scenario.play(pair.ours, login),
        theirs: await Scenario.play(pair.theirs, login),
      };
    });

    after(async () => {
      lives?.ours.close();
      lives?.theirs.close();
      await own?.close();
      await real?.close();
      await rm(folder, { recursive: true, force: true });
    });

    async function both(path: string): Promise<{ ours: Answer; theirs: Answer }> {
      const filled = (life: Scenario) =>
        path.replace(/<(.*)>/, (_whole, name) => String(life.cids.get(name) ?? assert.fail(name)));
      const ours = await ask(pair.ours, filled(lives.ours));
      const theirs = await ask(pair.theirs, filled(lives.theirs));
      return { ours, theirs };
    }

    function nameOf(cid: number): unknown {
      for (const { cids } of [lives.ours, lives.theirs])
        for (const [name, id] of cids) if (id === cid) return name;
      return cid;
    }

    for (const path of JSON_PATHS) {
      test(path, async () => {
        const { ours, theirs } = await both(path);
        assert.deepEqual(
          { status: ours.status, type: ours.type, origin: ours.origin },
          { status: theirs.status, type: theirs.type, origin: theirs.origin },
        );
        const found = differences(JSON.parse(ours.text), JSON.parse(theirs.text), nameOf);
        for (const field of onlyKnown(path, found, KNOWN)) used.add(field);
        // The layout too: as many lines and the same depth, where nothing differs.
        const layout = (text: string) => text.split("\n").map((line) => line.search(/\S/));
        if (found.length === 0 && !/subs=|subsz/.test(path))
          assert.deepEqual(layout(ours.text), layout(theirs.text));
      });
    }

    for (const path of TEXT_PATHS) {
      test(`${path}, in words`, async () => {
        const { ours, theirs } = await both(path);
        assert.deepEqual(ours, theirs);
      });
    }

    // Which subscriptions are on a page is chance: nats-server goes through a map.
    for (const path of [
      "/subsz?subs=1&limit=2",
      "/subsz?subs=1&limit=3&offset=3",
      "/subsz?subs=1&offset=9",
    ]) {
      test(path, async () => {
        const { ours, theirs } = await both(path);
        const shape = ({ text }: Answer) => {
          const { total, offset, limit, subscriptions_list: list } = JSON.parse(text);
          return { total, offset, limit, length: list?.length };
        };
        assert.deepEqual(shape(ours), shape(theirs));
      });
    }

    test("the index links to the same places", async () => {
      const links = ({ text }: Answer) =>
        [...text.matchAll(/href=(\S+?)(?: class=\S+?)?>([^<]*)</g)].map(([, to, name]) => [to, name]);
      const { ours, theirs } = await both("");
      assert.equal(ours.type, theirs.type);
      // But for those to the other's source and icon.
      assert.deepEqual(
        links(ours),
        links(theirs).filter(([to]) => !/github|favicon/.test(to)),
      );
    });

    test("a path that is not clean is moved", async () => {
      for (const path of ["//varz", "/a/../varz?x=1", "/./connz"]) {
        const [ours, theirs] = await Promise.all(
          [pair.ours, pair.theirs].map(({ url }) => rawGet(url, path)),
        );
        assert.deepEqual(ours, theirs, path);
      }
    });

    test("every known difference is one", () => {
      assert.deepEqual(
        KNOWN.map(({ field }) => field).filter((field) => !used.has(field)),
        [],
      );
    });
  });

test("connections over TLS beside nats-server", async () => {
  const port = await freePort();
  const { certFile, keyFile } = certificate("server");
  const flags = ["--tlscert", certFile, "--tlskey", keyFile, "--tlscacert", tlsFile("ca.pem"), "--tlsverify"];
  await using real = await RealServer.start([...flags, "-m", String(port)]);
  const tls = { certFile, keyFile, caFile: tlsFile("ca.pem"), verify: true };
  await using own = await NatsServer.start({ listen: { port: 0 }, http: { port: 0 }, tls });
  const servers = [
    { port: own.port!, url: own.monitorUrl! },
    { port: real.port, url: `http://127.0.0.1:${port}` },
  ];
  const clients = await Promise.all(
    servers.map((server) =>
      connect({
        servers: `localhost:${server.port}`,
        tls: { ca: pem("ca.pem"), ...identity("client") },
        name: "secure",
      }),
    ),
  );
  for (const path of ["/connz?auth=1", "/varz"]) {
    const [ours, theirs] = await Promise.all(
      servers.map(async (server) => JSON.parse((await ask(server, path)).text)),
    );
    const known = [
      { field: "feature_flags", why: "flags of JetStream, which is not here" },
      { field: "connections[].cid", why: "the real server's system account takes ids" },
      { field: "subscriptions", why: "and has subscriptions" },
    ];
    onlyKnown(path, differences(ours, theirs, String), known);
    if (path === "/varz") assert.equal(ours.tls_cert_not_after, theirs.tls_cert_not_after);
    else assert.ok(ours.connections[0].tls_peer_certs.length > 0);
  }
  for (const client of clients) await client.close();
});

test("connections over WebSocket beside nats-server", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gnatlet-monitor-"));
  const file = join(folder, "server.conf");
  const [port, wsPort] = [await freePort(), await freePort()];
  await writeFile(
    file,
    `no_system_account: true\nwebsocket { listen: "127.0.0.1:${wsPort}", no_tls: true }\n`,
  );
  await using real = await RealServer.start(["-c", file, "-m", String(port)]);
  const websocket = { host: "127.0.0.1", port: 0, noTls: true };
  await using own = await NatsServer.start({
    listen: { port: 0 },
    http: { port: 0 },
    websocket,
    noSystemAccount: true,
  });
  const ours = { port: own.port!, url: own.monitorUrl! };
  const theirs = { port: real.port, url: `http://127.0.0.1:${port}` };
  const page = { name: "page", reconnect: false, wsFactory: websocketFactory() };
  const clients = [
    await wsconnect({ ...page, servers: own.websocketUrl! }),
    await wsconnect({ ...page, servers: `ws://127.0.0.1:${wsPort}` }),
  ];
  const [a, b] = await Promise.all(
    [ours, theirs].map(async (server) => JSON.parse((await ask(server, "/connz?auth=1")).text)),
  );
  assert.equal(a.connections[0].type, "websocket");
  onlyKnown("/connz?auth=1", differences(a, b, String), []);
  for (const client of clients) await client.close();
  await rm(folder, { recursive: true, force: true });
});

/** nats-server's own services are subscriptions, imports and exports; here they are not routed at all. */
const SERVICES: readonly Difference[] = [
  "subscriptions",
  "num_subscriptions",
  "num_cache",
  "num_inserts",
  "num_matches",
  "cache_hit_rate",
  "max_fanout",
  "avg_fanout",
  "total",
  "subscriptions_list",
  "account_statz[].num_subscriptions",
  "account_detail.subscriptions",
  "account_detail.sublist_stats",
  "account_detail.imports",
  "account_detail.exports",
].map((field) => ({ field, why: "the services of the system account" }));

test("a server with a system account beside nats-server", async () => {
  const port = await freePort();
  await using real = await RealServer.start(["-m", String(port)]);
  await using own = await NatsServer.start({ listen: { port: 0 }, http: { port: 0 } });
  const ours = { port: own.port!, url: own.monitorUrl! };
  const theirs = { port: real.port, url: `http://127.0.0.1:${port}` };
  const known = [...SERVICES, { field: "feature_flags", why: "flags of JetStream" }];
  const accounts = ["/accountz", "/accountz?acc=$G", "/accountz?acc=$SYS", "/accstatz?unused=1"];
  for (const path of ["/varz", "/connz", "/subsz?subs=1", ...accounts]) {
    const [a, b] = [JSON.parse((await ask(ours, path)).text), JSON.parse((await ask(theirs, path)).text)];
    onlyKnown(path, differences(a, b, String), known);
  }
});

/** Asks for a path as it is: `fetch` would clean it. Gives the status and where it is moved to. */
async function rawGet(url: string, path: string): Promise<(string | undefined)[]> {
  const { get } = await import("node:http");
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    get({ hostname, port, path, agent: false }, (response) => {
      response.resume();
      resolve([String(response.statusCode), response.headers.location]);
    }).on("error", reject);
  });
}
