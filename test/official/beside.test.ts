/** The official client in process, beside other transports in the same program: each connection keeps its own, also when it reconnects. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NatsConnection, Status } from "@nats-io/nats-core";
import { connect as connectTcp } from "@nats-io/transport-node";
import { connect as connectOlder } from "nats";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { connect as connectInProcess } from "../../src/runtime/node/nats-core.ts";
import { soon } from "../support/waiting.ts";

function reconnected(nc: NatsConnection): Promise<void> {
  const events: AsyncIterable<Status> = nc.status();
  return soon(
    (async () => {
      for await (const event of events) if (event.type === "reconnect") return;
      throw new Error("closed instead");
    })(),
    "the reconnection",
  );
}

async function answers(nc: NatsConnection, expected: string): Promise<void> {
  assert.equal((await nc.request("who")).string(), expected);
}

async function serve(nc: NatsConnection, name: string): Promise<void> {
  nc.subscribe("who", { callback: (_error, msg) => void msg.respond(name) });
  await nc.flush();
}

describe("the official client in process", () => {
  it("comes first in a program that has no other transport yet, and reconnects", async () => {
    await using server = await NatsServer.start();
    const nc = await connectInProcess({ inProcessServer: server, reconnectTimeWait: 10 });
    await serve(nc, "me");
    await answers(nc, "me");
    const back = reconnected(nc);
    await nc.reconnect();
    await back;
    await answers(nc, "me");
    await nc.close();
  });

  it("lives beside TCP connections, whichever came first, through reconnects of both", async () => {
    await using one = await NatsServer.start();
    await using two = await NatsServer.start({ listen: { port: 0 } });
    const before = await connectTcp({ servers: two.clientUrl, reconnectTimeWait: 10 });
    const inside = await connectInProcess({ inProcessServer: one, reconnectTimeWait: 10 });
    const after = await connectTcp({ servers: two.clientUrl, reconnectTimeWait: 10 });
    const inside2 = await connectInProcess({ inProcessServer: one, reconnectTimeWait: 10 });
    await serve(inside, "inside");
    await serve(before, "outside");
    for (let round = 0; round < 2; round++) {
      await answers(inside, "inside");
      await answers(inside2, "inside");
      await answers(before, "outside");
      await answers(after, "outside");
      for (const nc of [before, inside, after, inside2]) {
        const back = reconnected(nc);
        await nc.reconnect();
        await back;
      }
      await Promise.all([before, inside].map((nc) => nc.flush()));
    }
    assert.equal(one.stats().connections, 2);
    assert.equal(two.stats().connections, 2);
    for (const nc of [before, inside, after, inside2]) await nc.drain();
  });

  it("is told when the server is closed", async () => {
    const server = await NatsServer.start();
    const nc = await connectInProcess({ inProcessServer: server, reconnect: false });
    const closed = nc.closed();
    await server.close();
    await soon(closed, "the end");
    await assert.rejects(connectInProcess({ inProcessServer: server, reconnect: false }));
  });

  it("refuses what is no server", async () => {
    await assert.rejects(connectInProcess({ inProcessServer: {} as never }), TypeError);
  });
});

describe("the older `nats` package", () => {
  it("works over TCP", async () => {
    await using server = await NatsServer.start({ listen: { port: 0 } });
    const nc = await connectOlder({ servers: server.clientUrl });
    const subscription = nc.subscribe("x", { max: 2 });
    nc.publish("x", "one");
    nc.publish("x", "two");
    const got: string[] = [];
    for await (const msg of subscription) got.push(msg.string());
    assert.deepEqual(got, ["one", "two"]);
    nc.subscribe("add", { callback: (_error, msg) => void msg.respond("sum") });
    assert.equal((await nc.request("add")).string(), "sum");
    await assert.rejects(nc.request("nobody"), /503/);
    await nc.drain();
    await server.close();
  });
});
