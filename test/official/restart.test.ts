/** Consumers over a restart of the server, as the official library sees them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { AckPolicy, type Consumer, type JsMsg, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection, nanos } from "@nats-io/transport-node";
import { NatsServer } from "../../src/runtime/node/index.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-js-"));

after(() => rmSync(folder, { recursive: true }));

/** A server over the folder, and a client of it. */
async function start(): Promise<{ nc: NatsConnection; close(): Promise<void> }> {
  const server = await NatsServer.start({ listen: { port: 0 }, jetstream: { storeDir: folder } });
  const nc = await connect({ servers: server.clientUrl });
  return {
    nc,
    close: async () => {
      await nc.close();
      await server.close();
    },
  };
}

async function fetch(consumer: Consumer, count: number): Promise<JsMsg[]> {
  const got: JsMsg[] = [];
  for await (const msg of await consumer.fetch({ max_messages: count, expires: 5_000 })) {
    got.push(msg);
    if (got.length === count) break;
  }
  return got;
}

it("acknowledged messages do not come again, others do, and the count goes on", async () => {
  const one = await start();
  const jsm = await jetstreamManager(one.nc);
  await jsm.streams.add({ name: "R", subjects: ["r"] });
  const js = jetstream(one.nc);
  for (let i = 1; i <= 20; i++) await js.publish("r", String(i));
  const config = { ack_policy: AckPolicy.Explicit, ack_wait: nanos(1_000) };
  await jsm.consumers.add("R", { durable_name: "durable", ...config });
  await jsm.consumers.add("R", { name: "passing", inactive_threshold: nanos(3_600_000), ...config });
  for (const name of ["durable", "passing"]) {
    const got = await fetch(await js.consumers.get("R", name), 10);
    for (const msg of got) if (msg.seq % 2 === 0) await msg.ackAck();
  }
  await one.close();
  const two = await start();
  const again = jetstream(two.nc);
  for (const name of ["durable", "passing"]) {
    const consumer = await again.consumers.get("R", name);
    const info = await consumer.info();
    assert.deepEqual(
      [info.num_ack_pending, info.num_pending, info.delivered.stream_seq, info.ack_floor.stream_seq],
      [5, 10, 10, 0],
    );
    const got = await fetch(consumer, 15);
    const seqs = got.map((msg) => msg.seq).sort((a, b) => a - b);
    assert.deepEqual(seqs, [1, 3, 5, 7, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
    for (const msg of got) assert.equal(msg.info.deliveryCount, msg.seq < 10 ? 2 : 1);
  }
  await two.close();
});
