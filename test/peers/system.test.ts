/** Services and events of the system account: the same requests to this server and to a real nats-server, and answers of the same shape. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { shapeOf, without } from "../support/json-shape.ts";
import { RealServer } from "../support/real-server.ts";
import { until } from "../support/waiting.ts";

const CONFIG = `
server_name: one
server_tags: [a, b]
accounts {
  A { users = [ { user: a, password: a, permissions: { publish: { allow: [">"], deny: "no" }, subscribe: ">", allow_responses: { max: 3, expires: "1m" } } } ] }
  $SYS { users = [ { user: sys, password: sys } ] }
}`;

const OPTIONS = {
  listen: { port: 0 },
  serverName: "one",
  serverTags: ["a", "b"],
  accounts: {
    A: {
      users: [
        {
          user: "a",
          password: "a",
          permissions: {
            publish: { allow: [">"], deny: ["no"] },
            subscribe: ">",
            allowResponses: { max: 3, expires: 60_000 },
          },
        },
      ],
    },
    $SYS: { users: [{ user: "sys", password: "sys" }] },
  },
};

/**
 * Members that only one of the two has: facts of Go's run time, of 2.15, and of imports, which are how nats-server gives other accounts
 * some of these services (here they need none).
 */
const DIFFERENT = new Set([
  "feature_flags",
  "gomaxprocs",
  "gomemlimit",
  "xkey",
  "imports",
  "exports",
  "memstats",
  "cmdline",
  "System recvQ",
]);

interface Talk {
  readonly sys: NatsConnection;
  readonly a: NatsConnection;
  readonly events: Map<string, unknown>;
}

async function talkTo(port: number): Promise<Talk> {
  const sys = await connect({ port, user: "sys", pass: "sys", name: "sysc", reconnect: false });
  const events = new Map<string, unknown>();
  for (const subject of ["$SYS.ACCOUNT.>", "$SYS.SERVER.>"]) {
    sys.subscribe(subject, {
      callback: (_error, msg) => {
        events.set(msg.subject.replace(sys.info!.server_id, "ID"), msg.json());
      },
    });
  }
  await sys.flush();
  const a = await connect({ port, user: "a", pass: "a", name: "ac", reconnect: false });
  a.subscribe("foo", { callback() {} });
  await a.flush();
  return { sys, a, events };
}

/** Who asks, on which subject ("ID" is the server's id), with which body. */
const REQUESTS: readonly (readonly [who: "sys" | "a", subject: string, body?: string])[] = [
  ["a", "$SYS.REQ.USER.INFO"],
  ["sys", "$SYS.REQ.USER.INFO"],
  ["a", "$SYS.REQ.ACCOUNT.PING.CONNZ"],
  ["a", "$SYS.REQ.SERVER.PING.CONNZ", '{"subscriptions":true}'],
  ["a", "$SYS.REQ.ACCOUNT.PING.STATZ"],
  ["a", "$SYS.REQ.SERVER.PING"],
  ["a", "$SYS.REQ.SERVER.PING.VARZ"],
  ...["IDZ", "STATSZ", "VARZ", "SUBSZ", "CONNZ", "ROUTEZ", "GATEWAYZ", "LEAFZ", "ACCOUNTZ", "JSZ"].map(
    (name) => ["sys", `$SYS.REQ.SERVER.ID.${name}`] as const,
  ),
  ...["HEALTHZ", "EXPVARZ", "IPQUEUESZ", "RAFTZ", "PROFILEZ", "NOPEZ"].map(
    (name) => ["sys", `$SYS.REQ.SERVER.ID.${name}`] as const,
  ),
  ["sys", "$SYS.REQ.SERVER.PING"],
  ["sys", "$SYS.REQ.SERVER.PING.STATSZ"],
  ["sys", "$SYS.REQ.SERVER.PING.IDZ", '{"server_name":"x"}'],
  ["sys", "$SYS.REQ.SERVER.PING.CONNZ", '{"server_name":"on","tags":["a"],"limit":1,"sort":"cid"}'],
  ["sys", "$SYS.REQ.SERVER.PING.CONNZ", '{"sort":"x"}'],
  ["sys", "$SYS.REQ.SERVER.PING.CONNZ", '{"sort":1}'],
  ["sys", "$SYS.REQ.SERVER.PING.CONNZ", "x"],
  ["sys", "$SYS.REQ.ACCOUNT.A.SUBSZ"],
  ["sys", "$SYS.REQ.ACCOUNT.A.CONNZ"],
  ["sys", "$SYS.REQ.ACCOUNT.A.LEAFZ"],
  ["sys", "$SYS.REQ.ACCOUNT.A.JSZ"],
  ["sys", "$SYS.REQ.ACCOUNT.A.INFO"],
  ["sys", "$SYS.REQ.ACCOUNT.XX.INFO"],
  ["sys", "$SYS.REQ.ACCOUNT.A.STATZ"],
  ["sys", "$SYS.REQ.ACCOUNT.A.CONNS", '{"acc":"A"}'],
  ["sys", "$SYS.REQ.ACCOUNT.PING.STATZ"],
  ["sys", "$SYS.REQ.ACCOUNT.NSUBS", '{"acc":"A","subject":"foo"}'],
  ["sys", "$SYS.DEBUG.SUBSCRIBERS", "foo"],
  ["a", "$SYS.DEBUG.SUBSCRIBERS", "foo"],
  ["sys", "$SYS.REQ.SERVER.ID.KICK", '{"cid":9999}'],
];

/** Requests that are not for this server, or about nothing: no answer comes. */
const UNANSWERED: readonly [subject: string, body: string][] = [
  ["$SYS.REQ.SERVER.PING.VARZ", '{"server_name":"x"}'],
  ["$SYS.REQ.SERVER.PING.STATSZ", '{"server_name":"on","exact_match":true}'],
  ["$SYS.REQ.SERVER.PING.CONNZ", '{"tags":["a","c"]}'],
  ["$SYS.REQ.ACCOUNT.XX.STATZ", ""],
];

async function answer({ sys, a }: Talk, who: "sys" | "a", subject: string, body?: string): Promise<unknown> {
  const full = subject.replace("ID.", `${sys.info!.server_id}.`);
  try {
    const msg = await (who === "sys" ? sys : a).request(full, body, { timeout: 5_000 });
    const text = msg.string();
    return text.startsWith("{") ? shapeOf(without(JSON.parse(text), DIFFERENT)) : text;
  } catch (error) {
    return (error as Error).name;
  }
}

describe("services and events of the system account", () => {
  let folder: string;
  let real: RealServer;
  let ours: NatsServer;
  let theirs: Talk;
  let own: Talk;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "gnatlet-"));
    const file = join(folder, "nats.conf");
    writeFileSync(file, CONFIG);
    real = await RealServer.start(["-c", file]);
    ours = await NatsServer.start(OPTIONS);
    theirs = await talkTo(real.port);
    own = await talkTo(ours.port!);
  });

  after(async () => {
    for (const { sys, a } of [theirs, own]) await Promise.all([sys.close(), a.close()]);
    await ours.close();
    await real.close();
    rmSync(folder, { recursive: true });
  });

  for (const [who, subject, body] of REQUESTS) {
    it(`${subject}${body === undefined ? "" : ` ${body}`}, asked by ${who}`, async () => {
      const wanted = await answer(theirs, who, subject, body);
      assert.deepEqual(await answer(own, who, subject, body), wanted);
    });
  }

  it("leaves requests alone that are for others", async () => {
    for (const { sys } of [theirs, own]) {
      let answers = 0;
      sys.subscribe("silence", { callback: () => void answers++ });
      for (const [subject, body] of UNANSWERED) sys.publish(subject, body, { reply: "silence" });
      // What is asked after them has been answered: they would have been, too.
      await sys.request("$SYS.REQ.SERVER.PING.IDZ", "", { timeout: 5_000 });
      await sys.flush();
      assert.equal(answers, 0);
    }
  });

  it("tells who comes and goes", async () => {
    const names = [
      "$SYS.ACCOUNT.A.CONNECT",
      "$SYS.ACCOUNT.A.DISCONNECT",
      "$SYS.ACCOUNT.A.SERVER.CONNS",
      "$SYS.SERVER.ACCOUNT.A.CONNS",
      "$SYS.SERVER.ID.CLIENT.AUTH.ERR",
      "$SYS.ACCOUNT.$G.DISCONNECT",
    ];
    for (const talk of [theirs, own]) {
      const port = talk === own ? ours.port! : real.port;
      const client = await connect({ port, user: "a", pass: "a", name: "again", reconnect: false });
      const cid = client.info!.client_id;
      await talk.sys.request(`$SYS.REQ.SERVER.${talk.sys.info!.server_id}.KICK`, JSON.stringify({ cid }));
      await client.closed();
      await assert.rejects(connect({ port, user: "a", pass: "wrong", reconnect: false }));
      await until(() => names.every((name) => talk.events.has(name)), "the events");
    }
    for (const name of names) {
      assert.deepEqual(
        shapeOf(without(own.events.get(name), DIFFERENT)),
        shapeOf(without(theirs.events.get(name), DIFFERENT)),
        name,
      );
    }
    const gone = own.events.get("$SYS.ACCOUNT.A.DISCONNECT") as { reason: string; client: { name: string } };
    assert.equal(gone.reason, "Kicked");
    assert.equal(gone.client.name, "again");
  });
});
