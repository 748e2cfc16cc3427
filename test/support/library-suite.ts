import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { AckPolicy, jetstream, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { type NatsConnection, nanos } from "@nats-io/nats-core";
import { Objm } from "@nats-io/obj";
import { Svcm } from "@nats-io/services";
import { first, until } from "./waiting.ts";

/** Bytes of the object that is stored and read again. */
const OBJECT_BYTES = 100 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/** A connection to a server with JetStream, and what ends both. */
export interface LibraryTarget {
  readonly nc: NatsConnection;
  close(): Promise<void>;
}

/** Defines tests of the official libraries for JetStream, key-value, objects and services on a connection. */
export function libraryTests(name: string, start: () => Promise<LibraryTarget>): void {
  describe(name, () => {
    let target: LibraryTarget;
    let nc: NatsConnection;

    before(async () => {
      target = await start();
      nc = target.nc;
    });

    after(() => target.close());

    it("JetStream: publish, consume, fetch, ordered consumers", async () => {
      const jsm = await jetstreamManager(nc);
      await jsm.streams.add({ name: "ORDERS", subjects: ["orders.>"], storage: StorageType.Memory });
      const js = jetstream(nc);
      for (let i = 0; i < 100; i++) {
        const ack = await js.publish(`orders.${i % 3}`, `order ${i}`);
        assert.equal(ack.seq, i + 1);
      }
      await jsm.consumers.add("ORDERS", { durable_name: "work", ack_policy: AckPolicy.Explicit });
      const consumer = await js.consumers.get("ORDERS", "work");
      const fetched = await consumer.fetch({ max_messages: 10, expires: 5_000 });
      const texts: string[] = [];
      for await (const msg of fetched) {
        texts.push(msg.string());
        await msg.ackAck();
      }
      assert.deepEqual(
        texts,
        Array.from({ length: 10 }, (_, i) => `order ${i}`),
      );
      const messages = await consumer.consume({ max_messages: 20 });
      const rest = await first(90, messages);
      for (const msg of rest) msg.ack();
      assert.equal(rest[89].string(), "order 99");
      await messages.close();
      await nc.flush();
      assert.equal((await consumer.info()).num_pending, 0);
      const ordered = await js.consumers.get("ORDERS");
      const all = await first(100, await ordered.consume());
      assert.deepEqual(
        all.map((msg) => msg.seq),
        Array.from({ length: 100 }, (_, i) => i + 1),
      );
    });

    it("push consumers: one, and several in a group", async () => {
      const jsm = await jetstreamManager(nc);
      await jsm.streams.add({ name: "PUSHED", subjects: ["pushed.>"], storage: StorageType.Memory });
      const js = jetstream(nc);
      for (let i = 0; i < 50; i++) await js.publish("pushed.a", String(i));
      await jsm.consumers.add("PUSHED", {
        durable_name: "one",
        ack_policy: AckPolicy.Explicit,
        deliver_subject: "to.one",
        flow_control: true,
        idle_heartbeat: nanos(5_000),
      });
      const one = await (await js.consumers.getPushConsumer("PUSHED", "one")).consume();
      const got = await first(50, one);
      for (const msg of got) await msg.ackAck();
      assert.equal((await jsm.consumers.info("PUSHED", "one")).ack_floor.stream_seq, 50);
      await one.close();
      await jsm.consumers.add("PUSHED", {
        durable_name: "group",
        ack_policy: AckPolicy.Explicit,
        deliver_subject: "to.group",
        deliver_group: "workers",
      });
      const counts = [0, 0];
      const members = await Promise.all(
        counts.map(async (_count, i) => {
          const consumer = await js.consumers.getPushConsumer("PUSHED", "group");
          return consumer.consume({
            callback: (msg) => {
              counts[i] += 1;
              msg.ack();
            },
          });
        }),
      );
      await until(() => counts[0] + counts[1] === 50, "all have come to the group");
      for (const member of members) await member.close();
    });

    it("key-value: put, get, watch", async () => {
      const kv = await new Kvm(nc).create("config", { history: 5 });
      const watch = await kv.watch();
      await kv.put("a", "1");
      await kv.put("b", "2");
      await kv.delete("a");
      const seen = await first(3, watch);
      assert.deepEqual(
        seen.map((entry) => [entry.key, entry.operation]),
        [
          ["a", "PUT"],
          ["b", "PUT"],
          ["a", "DEL"],
        ],
      );
      assert.equal((await kv.get("b"))?.string(), "2");
      await assert.rejects(kv.create("b", "3"));
    });

    it("objects: 100 MB and back", async () => {
      const os = await new Objm(nc).create("files");
      const chunk = new Uint8Array(CHUNK_BYTES).map((_, i) => (i * 31) & 0xff);
      const sent = createHash("sha256");
      let left = OBJECT_BYTES;
      const source = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (left === 0) return controller.close();
          chunk[0] = (left / CHUNK_BYTES) & 0xff;
          sent.update(chunk);
          controller.enqueue(chunk.slice());
          left -= CHUNK_BYTES;
        },
      });
      const info = await os.put({ name: "large" }, source);
      assert.equal(info.size, OBJECT_BYTES);
      const found = await os.get("large");
      const got = createHash("sha256");
      const reader = found!.data.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) got.update(part.value);
      assert.ok(!(await found!.error));
      assert.equal(got.digest("hex"), sent.digest("hex"));
    });

    it("services: requests, and their stats", async () => {
      // Its types are those of another release of the core library.
      const services = new Svcm(nc as never);
      const service = await services.add({ name: "adder", version: "1.0.0" });
      service.addEndpoint("add", (error, msg) => {
        if (error) return;
        const [a, b] = msg.json<number[]>();
        msg.respond(JSON.stringify(a + b));
      });
      for (let i = 0; i < 5; i++) {
        assert.equal((await nc.request("add", JSON.stringify([i, 1]))).json(), i + 1);
      }
      const client = services.client();
      const [stats] = await first(1, await client.stats("adder"));
      assert.equal(stats.endpoints?.[0].num_requests, 5);
      const [info] = await first(1, await client.info("adder"));
      assert.equal(info.version, "1.0.0");
      await service.stop();
      await until(() => service.isStopped, "it has stopped");
    });
  });
}
