/** Consumers and streams over a restart of the server, as the official library sees them. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import {
  AckPolicy,
  type Consumer,
  type JsMsg,
  jetstream,
  jetstreamManager,
  StoreCompression,
} from "@nats-io/jetstream";
import { connect, type NatsConnection, nanos } from "@nats-io/transport-node";
import { NatsServer } from "../../src/runtime/node/index.ts";
import { until } from "../support/waiting.ts";

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

/** The sizes of all files of a kind of the stream C. */
function sizes(kind: string): number[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const those = names.filter((name) => name.endsWith(kind) && /[\\/]%43[\\/]/.test(name));
  return those.map((name) => statSync(join(folder, name)).size);
}

it("a compressed stream takes less of the disk, and has all its messages, also after a restart", async () => {
  const one = await start();
  const jsm = await jetstreamManager(one.nc);
  const config = { name: "C", subjects: ["c"], duplicate_window: nanos(100) };
  await jsm.streams.add({ ...config, compression: StoreCompression.None });
  const js = jetstream(one.nc);
  const line = '{"event":"a page was looked at","by":"somebody","seconds":';
  const textOf = (seq: number): string => `${line}${seq}}\n`.repeat(1_500);
  const published: Promise<unknown>[] = [];
  for (let seq = 1; seq <= 420; seq++) {
    published.push(js.publish("c", textOf(seq)));
    if (seq % 20 === 0) await Promise.all(published.splice(0));
  }
  const before = (await jsm.streams.info("C")).state;
  assert.ok(before.bytes > 36e6);
  assert.deepEqual(sizes(".s2"), []);
  await jsm.streams.update("C", { ...config, compression: StoreCompression.S2 });
  await until(() => sizes(".s2").length === 1 && sizes(".log").length === 1, "the first file is compressed");
  assert.ok(sizes(".s2")[0] < 4e6, `${sizes(".s2")} bytes`);
  assert.ok(await jsm.streams.deleteMessage("C", 7));
  await one.close();
  assert.equal(sizes(".s2").length, 1);
  const two = await start();
  const { state } = await (await jetstreamManager(two.nc)).streams.info("C");
  assert.deepEqual([state.messages, state.num_deleted], [419, 1]);
  assert.equal(state.bytes, before.bytes - (22 + 8 + 1 + textOf(7).length));
  const consumer = await jetstream(two.nc).consumers.get("C");
  let seq = 0;
  for await (const msg of await consumer.consume()) {
    seq += seq === 6 ? 2 : 1;
    assert.equal(msg.seq, seq);
    assert.equal(msg.string(), textOf(seq));
    if (seq === 420) break;
  }
  await two.close();
});
