/** Direct gets of many messages: they leave others their turn, and do not outrun who has asked. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BusyClock } from "../../support/busy-clock.ts";
import { SimulatedJetStream } from "../../support/jetstream-simulated.ts";
import { settle, TestLink, type VirtualClock } from "../../support/simulated.ts";
import { SimulatedDisk } from "../../support/simulated-disk.ts";

const COUNT = 500;

async function started(payload: string, clock?: VirtualClock) {
  const server = await SimulatedJetStream.start(new SimulatedDisk(), clock);
  await server.create({ allow_direct: true, storage: "memory" });
  for (let i = 0; i < COUNT; i++) server.publish(`s.${i}`, payload);
  await settle();
  assert.equal((await server.state()).messages, COUNT);
  return server;
}

function connect(server: SimulatedJetStream, inbox = "f"): TestLink {
  const link = new TestLink();
  server.server.inProcessConn().accept(link);
  link.send(`CONNECT {"verbose":false,"headers":true}\r\nSUB ${inbox} 1\r\n`);
  link.look();
  return link;
}

function ask(link: TestLink, request: object, inbox = "f"): void {
  const body = JSON.stringify(request);
  link.send(`PUB $JS.API.DIRECT.GET.S ${inbox} ${body.length}\r\n${body}\r\n`);
}

async function turns(): Promise<void> {
  for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
}

const REQUESTS: readonly (readonly [string, object])[] = [
  ["in order", { seq: 1, batch: COUNT, max_bytes: 2 ** 40 }],
  ["the last of each subject", { multi_last: ["s.>"], max_bytes: 2 ** 40 }],
];

describe("direct gets of many messages", () => {
  for (const [what, request] of REQUESTS) {
    it(`leave others their turn: ${what}`, async () => {
      const clock = new BusyClock();
      const server = await started("x", clock);
      const link = connect(server);
      ask(link, request);
      await turns();
      const first = link.look();
      assert.match(first, /^HMSG f/);
      assert.doesNotMatch(first, /204 EOB/, "not all in one go");
      let rest = "";
      for (let i = 0; i < COUNT && !rest.includes("204 EOB"); i++) {
        await clock.advance(1);
        await settle();
        rest += link.look();
      }
      assert.equal((first + rest).match(/^HMSG f/gm)?.length, COUNT + 1);
      assert.match(rest, /204 EOB/);
      await server.close();
    });

    it(`wait for a receiver that is behind, and end when it goes: ${what}`, async () => {
      const server = await started("x".repeat(200_000));
      const link = connect(server);
      link.keep = false;
      link.stuck = true;
      ask(link, request);
      await turns();
      const { outBytes } = server.server.stats();
      assert.ok(outBytes < 40 * 1024 * 1024, `${outBytes} bytes for one who takes none`);
      await server.clock.advance(50);
      assert.equal(server.server.stats().outBytes, outBytes);
      link.leave();
      await server.clock.advance(50);
      await turns();
      assert.equal(server.server.stats().outBytes, outBytes);
      await server.close();
    });
  }

  it("do not wait for others who are behind", async () => {
    const server = await started("x".repeat(20_000));
    const [slow, fast] = [connect(server, "slow"), connect(server)];
    slow.keep = false;
    slow.stuck = true;
    ask(slow, { seq: 1, batch: COUNT }, "slow");
    await turns();
    ask(fast, { seq: 1, batch: COUNT });
    for (let i = 0; i < 10; i++) {
      await turns();
      await server.clock.advance(1);
    }
    assert.match(fast.look(), /204 EOB/);
    assert.ok(slow.receivedBytes < fast.receivedBytes);
    slow.leave();
    await server.close();
  });

  it("are no more than 64 MiB if nothing else is asked for, and one message at least", async () => {
    const server = await started("x".repeat(200_000));
    const link = connect(server);
    link.keep = false;
    const received = async (maxBytes: number | undefined): Promise<number> => {
      const before = link.receivedBytes;
      ask(link, { seq: 1, batch: COUNT, max_bytes: maxBytes });
      await turns();
      await server.clock.advance(10);
      await turns();
      return Math.floor((link.receivedBytes - before) / 200_000);
    };
    assert.equal(await received(undefined), Math.ceil((64 * 1024 * 1024) / 200_000));
    assert.equal(await received(-1), 1);
    assert.equal(await received(2 ** 40), COUNT);
    await server.close();
  });
});
