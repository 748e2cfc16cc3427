/** What a server does with clients that are slow, silent or too many: on a virtual clock, over links that the test holds the other end of. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkedSettings } from "../../src/server/checked-settings.ts";
import type { ServerOptions } from "../../src/server/options/types.ts";
import { Server } from "../../src/server/server.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { settle, simulatedRuntime, TestLink, VirtualClock } from "../support/simulated.ts";

const PLAIN = 'CONNECT {"verbose":false,"pedantic":false}\r\n';

function setup(options: ServerOptions = {}): {
  clock: VirtualClock;
  server: Server;
  join(connect?: string): TestLink;
} {
  const clock = new VirtualClock();
  const server = new Server(checkedSettings(options), simulatedRuntime(clock));
  return {
    clock,
    server,
    join(connect = PLAIN) {
      const link = new TestLink();
      server.inProcessConn().accept(link);
      assert.match(link.look(), /^INFO \{.*\} \r\n$/);
      link.send(connect);
      return link;
    },
  };
}

describe("pings", () => {
  it("come first after 2 s and up to a fifth more, then every interval; the third tick without an answer closes", async () => {
    const { clock, join } = setup();
    const client = join();
    await clock.advance(1_999);
    assert.equal(client.look(), "");
    await clock.advance(401);
    assert.equal(client.look(), "PING\r\n");
    await clock.advance(120_000);
    assert.equal(client.look(), "PING\r\n");
    await clock.advance(120_000);
    assert.equal(client.look(), "-ERR 'Stale Connection'\r\n");
    assert.notEqual(client.ended, undefined);
  });

  it("are not sent to a client that says something, once the way there and back is known", async () => {
    const { clock, join } = setup();
    const client = join();
    await clock.advance(2_400);
    client.send("PONG\r\n");
    client.look();
    for (let i = 0; i < 20; i++) {
      await clock.advance(60_000);
      client.send("PUB x 0\r\n\r\n");
    }
    assert.equal(client.look(), "");
    await clock.advance(3_600_000);
    assert.match(client.look(), /^PING/);
  });

  it("are answered, and then the connection stays", async () => {
    const { clock, join } = setup({ pingInterval: 1_000, pingMax: 2, disableShortFirstPing: true });
    const client = join();
    for (let i = 0; i < 10; i++) {
      await clock.advance(1_250);
      assert.match(client.look(), /^(PING\r\n)+$/);
      client.send("PONG\r\n");
    }
    assert.equal(client.ended, undefined);
    await clock.advance(4_000);
    assert.match(client.look(), /-ERR 'Stale Connection'\r\n$/);
  });

  it("reach a client that never says CONNECT, and end it when it does not answer", async () => {
    const { clock, join, server } = setup();
    const client = join("");
    await clock.advance(3 * 120_000);
    assert.equal(client.look(), "PING\r\nPING\r\n-ERR 'Stale Connection'\r\n");
    assert.equal(server.stats().connections, 0);
  });
});

describe("slow consumers", () => {
  const KB = "x".repeat(1024);

  it("are cut off when more than max_pending waits for them; the others notice nothing", async () => {
    const { server, join } = setup({ maxPending: 2 * 1024 * 1024 });
    const slow = join();
    const quick = join();
    const publisher = join();
    for (const link of [slow, quick]) link.send("SUB x 1\r\n");
    slow.stuck = true;
    slow.keep = quick.keep = false;
    const before = quick.receivedBytes;
    for (let i = 0; i < 3 * 1024; i++) publisher.send(`PUB x 1024\r\n${KB}\r\n`);
    assert.equal(slow.ended, "destroy");
    assert.equal(quick.ended, undefined);
    assert.equal(quick.receivedBytes - before, 3 * 1024 * `MSG x 1 1024\r\n${KB}\r\n`.length);
    assert.equal(server.stats().slowConsumers, 1);
    assert.equal(server.stats().connections, 2);
  });

  it("are cut off when a write takes longer than write_deadline", async () => {
    const { clock, server, join } = setup({ writeDeadline: 5_000 });
    const slow = join();
    slow.send("SUB x 1\r\n");
    const publisher = join();
    slow.stuck = true;
    publisher.send(`PUB x 1024\r\n${KB}\r\n`);
    await clock.advance(4_999);
    assert.equal(slow.ended, undefined);
    await clock.advance(1);
    assert.equal(slow.ended, "destroy");
    assert.equal(server.stats().slowConsumers, 1);
  });

  it("have the same time to take what waits for them when they have ended", async () => {
    const logger = new RecordingLogger();
    const { clock, server, join } = setup({ writeDeadline: 5_000, logger });
    const [slow, late] = [join(), join()];
    for (const link of [slow, late]) {
      link.send("SUB x 1\r\n");
      link.stuck = true;
    }
    const publisher = join();
    for (let i = 0; i < 2; i++) publisher.send(`PUB x 1024\r\n${KB}\r\n`);
    slow.finish();
    late.finish();
    assert.equal(server.stats().connections, 1);
    await clock.advance(4_999);
    late.drain();
    assert.deepEqual([slow.ended, late.ended], [undefined, undefined]);
    late.stuck = false;
    late.drain();
    assert.equal(late.ended, "end");
    await clock.advance(1);
    assert.equal(slow.ended, "destroy");
    assert.equal(server.stats().slowConsumers, 1);
    assert.match(
      logger.lines.join("\n"),
      /Slow Consumer Detected: WriteDeadline of 5s exceeded with \d chunks of \d+ total bytes\.$/,
    );
  });

  it("with write_timeout: retry, are cut off only when they take nothing at all", async () => {
    const logger = new RecordingLogger();
    const { clock, server, join } = setup({ writeDeadline: 5_000, writeTimeout: "retry", logger });
    const slow = join();
    slow.send("SUB x 1\r\n");
    const publisher = join();
    slow.stuck = true;
    slow.unsent = 1_000;
    publisher.send(`PUB x 1024\r\n${KB}\r\n`);
    for (let i = 0; i < 5; i++) {
      slow.unsent -= 1;
      await clock.advance(5_000);
    }
    assert.equal(slow.ended, undefined);
    assert.equal(server.stats().slowConsumers, 5);
    // As nats-server tells it: once that it was seen, each time that it goes on, and that it is over.
    slow.drain();
    publisher.send(`PUB x 1024\r\n${KB}\r\n`);
    await clock.advance(10_000);
    assert.equal(slow.ended, "destroy");
    const told = logger.lines.flatMap(
      (line) => /Slow Consumer \w+: (?:WriteDeadline of 5s|Flush took \d+\.\d{3}s)/.exec(line) ?? [],
    );
    assert.deepEqual(told, [
      "Slow Consumer Detected: WriteDeadline of 5s",
      ...new Array(4).fill("Slow Consumer State: WriteDeadline of 5s"),
      "Slow Consumer Recovered: Flush took 25.000s",
      "Slow Consumer Detected: WriteDeadline of 5s",
    ]);
  });

  it("with no_fast_producer_stall, get no messages while they are far behind", async () => {
    const { join } = setup({ maxPending: 2 * 1024 * 1024, noFastProducerStall: true });
    const slow = join();
    const publisher = join();
    slow.send("SUB x 1\r\n");
    slow.stuck = true;
    slow.keep = false;
    const before = slow.receivedBytes;
    for (let i = 0; i < 10 * 1024; i++) publisher.send(`PUB x 1024\r\n${KB}\r\n`);
    assert.equal(slow.ended, undefined);
    slow.stuck = false;
    for (let i = 0; i < 100; i++) slow.drain();
    const got = (slow.receivedBytes - before) / `MSG x 1 1024\r\n${KB}\r\n`.length;
    assert.ok(got > 1_000 && got < 1_600, `${got} of 10,240 messages have come`);
  });

  it("are left alone while they make headway", async () => {
    const { clock, join } = setup({ writeDeadline: 5_000 });
    const slow = join();
    slow.send("SUB x 1\r\n");
    const publisher = join();
    slow.stuck = true;
    for (let i = 0; i < 20; i++) {
      publisher.send(`PUB x 1024\r\n${KB}\r\n`);
      await clock.advance(3_000);
      slow.drain();
    }
    assert.equal(slow.ended, undefined);
  });

  it("hold their producers back for a while, and only while they make headway", async () => {
    const { clock, join } = setup();
    const slow = join();
    slow.send("SUB x 1\r\n");
    const publisher = join();
    const other = join();
    slow.keep = false;
    slow.stuck = true;
    while (!publisher.held) publisher.send(`PUB x 65536\r\n${"x".repeat(65536)}\r\n`);
    other.send("PUB y 1\r\nx\r\n");
    assert.equal(other.held, false);
    await clock.advance(10);
    assert.equal(publisher.held, false, "no longer than 10 ms");
    publisher.send("PUB x 1\r\nx\r\n");
    assert.equal(publisher.held, false, "not for one that is stuck");
    slow.drain();
    for (let i = 0; i < 8; i++) publisher.send(`PUB x 65536\r\n${"x".repeat(65536)}\r\n`);
    assert.equal(publisher.held, true, "again, when it moves");
    slow.stuck = false;
    slow.drain();
    assert.equal(publisher.held, false, "until it has caught up");
  });
});

describe("limits", () => {
  it("max_connections refuses the connection that is one too many", async () => {
    const { server, join } = setup({ maxConnections: 2 });
    const one = join();
    join();
    const third = new TestLink();
    server.inProcessConn().accept(third);
    assert.match(third.look(), /^INFO .*\r\n-ERR 'maximum connections exceeded'\r\n$/);
    assert.notEqual(third.ended, undefined);
    one.leave();
    assert.equal(server.stats().connections, 1);
    join();
  });

  it("max_subscriptions refuses the subscription that is one too many, and the connection stays", () => {
    const { join } = setup({ maxSubscriptions: 2 });
    const client = join();
    client.send("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n");
    assert.equal(client.look(), "-ERR 'maximum subscriptions exceeded'\r\n");
    client.send("UNSUB 1\r\nSUB c 3\r\nPUB c 0\r\n\r\n");
    assert.equal(client.look(), "MSG c 3 0\r\n\r\n");
  });

  it("max_payload and max_control_line are the options'", () => {
    const { join } = setup({ maxPayload: 10, maxControlLine: 50 });
    const client = join();
    client.send("PUB x 10\r\n0123456789\r\nPUB x 11\r\n");
    assert.equal(client.look(), "-ERR 'Maximum Payload Violation'\r\n");
    const other = join();
    other.send(`SUB ${"s".repeat(49)} 1\r\n`);
    assert.equal(other.look(), "-ERR 'maximum control line exceeded'\r\n");
  });

  it("without headers, INFO says so and HPUB ends the connection", () => {
    const server = new Server(checkedSettings({ noHeaderSupport: true }), simulatedRuntime());
    const link = new TestLink();
    server.inProcessConn().accept(link);
    assert.match(link.look(), /"headers":false/);
    link.send('CONNECT {"verbose":false,"headers":true}\r\nHPUB x 12 12\r\nNATS/1.0\r\n\r\n\r\n');
    assert.notEqual(link.ended, undefined);
  });
});

describe("the end", () => {
  it("sends what was on its way, closes every link, and leaves no timer", async () => {
    const { clock, server, join } = setup();
    const links = Array.from({ length: 10 }, () => join());
    links[0].send("SUB x 1\r\n");
    links[1].send("PUB x 2\r\nhi\r\n");
    await server.close();
    assert.equal(links[0].look(), "MSG x 1 2\r\nhi\r\n");
    for (const link of links) assert.notEqual(link.ended, undefined);
    assert.equal(clock.pending, 0);
    assert.equal(server.stats().connections, 0);
    assert.equal(server.stats().subscriptions, 0);
  });

  it("cuts off within 2 s a client that does not read", async () => {
    const { clock, server, join } = setup();
    const stuck = join();
    stuck.send("SUB x 1\r\n");
    stuck.stuck = true;
    join().send("PUB x 2\r\nhi\r\nPUB x 2\r\nho\r\n");
    let closed = false;
    const closing = server.close().then(() => {
      closed = true;
    });
    await settle();
    assert.equal(closed, false);
    await clock.advance(2_000);
    await closing;
    assert.notEqual(stuck.ended, undefined);
    assert.equal(clock.pending, 0);
  });

  it("leaves no timer of a client that reads its last bytes late", async () => {
    const { clock, server, join } = setup();
    const late = join();
    late.send("SUB x 1\r\n");
    late.stuck = true;
    const publisher = join();
    for (let i = 0; i < 3; i++) publisher.send("PUB x 2\r\nhi\r\n");
    const closing = server.close();
    late.drain();
    late.stuck = false;
    late.drain();
    await closing;
    assert.equal(late.look(), "MSG x 1 2\r\nhi\r\n".repeat(3));
    assert.equal(clock.pending, 0);
  });

  it("leaves nothing of a connection that has gone", async () => {
    const { clock, server, join } = setup();
    for (let i = 0; i < 100; i++) {
      const link = join();
      link.send(`SUB a.${i} 1\r\nSUB b.* q 2\r\nPUB a.1 1\r\nx\r\nPUB incomp`);
      link.leave();
    }
    assert.equal(server.stats().connections, 0);
    assert.equal(server.stats().subscriptions, 0);
    assert.equal(server.stats().totalConnections, 100);
    assert.equal(server.stats().inMsgs, 100);
    assert.equal(clock.pending, 0);
  });
});
