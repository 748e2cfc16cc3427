/** What the views say of time, on a virtual clock, over links that the test holds the other end of. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkedSettings } from "../../../src/server/checked-settings.ts";
import { connz } from "../../../src/server/monitor/connz.ts";
import { MonitorError } from "../../../src/server/monitor/errors.ts";
import { goTime } from "../../../src/server/monitor/go-format.ts";
import type { MonitorState } from "../../../src/server/monitor/state.ts";
import { varz } from "../../../src/server/monitor/varz.ts";
import type { ServerOptions } from "../../../src/server/options/types.ts";
import { Server } from "../../../src/server/server.ts";
import { settle, simulatedRuntime, TestLink, VirtualClock } from "../../support/simulated.ts";

class Watched extends Server {
  get state(): Promise<MonitorState> {
    return this.monitorState();
  }
}

async function setup(options: ServerOptions = {}) {
  const clock = new VirtualClock();
  const server = new Watched(
    checkedSettings({ disableShortFirstPing: true, ...options }),
    simulatedRuntime(clock),
  );
  const state = await server.state;
  return {
    clock,
    server,
    state,
    join(name: string): TestLink {
      const link = new TestLink();
      server.inProcessConn().accept(link);
      link.send(`CONNECT ${JSON.stringify({ verbose: false, pedantic: false, name })}\r\n`);
      return link;
    },
    /** What `/connz` shows of the connection with that name. */
    find(name: string) {
      return connz(state, { state: 2 }).connections!.find((each) => each.name === name)!;
    },
  };
}

describe("a connection's times", () => {
  it("are those of its beginning and its last work: messages and subscriptions, not pings", async () => {
    const { clock, join, find } = await setup();
    const start = goTime(clock.now());
    const client = join("a");
    await clock.advance(61_000);
    client.send("PING\r\n");
    await settle();
    assert.deepEqual([find("a").uptime, find("a").idle, find("a").last_activity], ["1m1s", "1m1s", start]);
    const work = ["PUB x 0\r\n\r\n", "SUB y 1\r\n", "UNSUB 1\r\n"];
    for (const text of work) {
      await clock.advance(5_000);
      client.send(text);
      assert.deepEqual([find("a").idle, find("a").last_activity], ["0s", goTime(clock.now())], text);
    }
    assert.equal(find("a").start, start);
  });

  it("count a message that it gets as work", async () => {
    const { clock, join, find } = await setup();
    const receiver = join("receiver");
    receiver.send("SUB x 1\r\n");
    const sender = join("sender");
    await clock.advance(5_000);
    sender.send("PUB x 0\r\n\r\n");
    assert.equal(find("receiver").idle, "0s");
    await clock.advance(3_000);
    assert.equal(find("receiver").idle, "3s");
  });

  it("end when it does, with the reason and the subscriptions it had", async () => {
    const { clock, state, join } = await setup();
    const client = join("a");
    client.send("SUB x q 7\r\n");
    await clock.advance(10_000);
    client.leave();
    await clock.advance(10_000);
    const [gone] = connz(state, { state: 1, subscriptions_detail: true }).connections!;
    assert.deepEqual(
      [gone.uptime, gone.idle, gone.reason, gone.subscriptions],
      ["10s", "10s", "Client Closed", 1],
    );
    assert.equal(gone.stop, goTime(clock.now() - 10_000));
    const { cid, ...detail } = gone.subscriptions_list_detail![0];
    assert.ok(cid > 0);
    assert.deepEqual(JSON.parse(JSON.stringify(detail)), {
      account: "$G",
      account_tag: "$G",
      subject: "x",
      qgroup: "q",
      sid: "7",
      msgs: 0,
    });
  });

  it("have the way there and back: guessed from CONNECT, then measured", async () => {
    const { clock, server, find } = await setup({ pingInterval: 10_000 });
    const client = new TestLink();
    server.inProcessConn().accept(client);
    await clock.advance(250);
    client.send('CONNECT {"name":"a","verbose":false}\r\n');
    assert.equal(find("a").rtt, "250ms");
    client.look();
    while (!client.look().includes("PING")) await clock.advance(10);
    await clock.advance(1_500);
    client.send("PONG\r\n");
    // The ping came within the last of those steps.
    assert.match(find("a").rtt, /^1\.50\d*s$/);
  });
});

describe("counts", () => {
  it("have stale connections", async () => {
    const { clock, state, join, find } = await setup({ pingInterval: 1_000, pingMax: 1 });
    join("a");
    await clock.advance(5_000);
    assert.deepEqual([find("a").reason, varz(state).stale_connections], ["Stale Connection", 1]);
    assert.equal(varz(state).stale_connection_stats.clients, 1);
  });

  it("have stalls: of the server, and of the client that was held back", async () => {
    const { clock, state, join, find } = await setup();
    const receiver = join("receiver");
    receiver.send("SUB x 1\r\n");
    receiver.stuck = true;
    const sender = join("sender");
    for (let i = 0; i < 4; i++) sender.send(`PUB x 1000000\r\n${"a".repeat(1_000_000)}\r\n`);
    await settle();
    assert.ok(varz(state).stalled_clients > 0);
    assert.equal(find("sender").stalls, varz(state).stalled_clients);
    assert.ok(find("receiver").pending_bytes > 2_000_000);
    assert.equal(find("receiver").stalls, undefined);
    await clock.advance(1_000);
  });
});

describe("options", () => {
  it("that do not go together are refused in nats-server's words", async () => {
    const { state } = await setup();
    const refused = (options: Parameters<typeof connz>[1], message: string) =>
      assert.throws(
        () => connz(state, options),
        (error) => error instanceof MonitorError && error.status === 400 && error.message === message,
      );
    refused({ sort: "toString" }, "invalid sorting option: toString");
    refused({ sort: "stop", state: 2 }, "sort by stop only valid on closed connections");
    refused({ filter_subject: "a" }, "filter by subject only valid with account filtering");
  });

  it("choose connections by a subject they listen to", async () => {
    const { state, join } = await setup();
    join("a").send("SUB foo.* 1\r\n");
    join("b").send("SUB bar 1\r\n");
    const names = (filter_subject: string) =>
      connz(state, { acc: "$G", filter_subject }).connections!.map(({ name }) => name);
    assert.deepEqual([names("foo.x"), names("*"), names(">"), names("none")], [["a"], ["b"], ["a", "b"], []]);
  });

  it("sort: most first but for ids, times up, and reasons", async () => {
    const { clock, state, join } = await setup();
    const [a, b, c] = [join("a"), join("b"), join("c")];
    c.send("SUB x 1\r\nSUB y 2\r\n");
    b.send("SUB x 1\r\n");
    await clock.advance(1_000);
    a.send("PUB x 3\r\nabc\r\n");
    await clock.advance(1_000);
    b.send("PUB y 9\r\nabcdefghi\r\nPUB y 0\r\n\r\n");
    const names = (sort: string) =>
      connz(state, { sort })
        .connections!.map(({ name }) => name)
        .join("");
    assert.deepEqual(
      ["cid", "start", "subs", "msgs_from", "bytes_from", "msgs_to", "bytes_to", "last", "idle"].map(names),
      ["abc", "abc", "cba", "bac", "bac", "cba", "cba", "bca", "abc"],
    );
  });
});
