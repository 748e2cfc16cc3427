/** Streams whose disk cannot be read: whoever asks is told, and the rest goes on. A rejection that nobody handles would fail the tests. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DiskError } from "../../../src/seams/disk.ts";
import { FileStore } from "../../../src/storage/file-store.ts";
import { FaultyDisk } from "../../support/faulty-disk.ts";
import { SimulatedJetStream } from "../../support/jetstream-simulated.ts";
import { settle } from "../../support/simulated.ts";

const UPDATE = "$JS.API.STREAM.UPDATE.S";

/** A server that has nothing of its messages in memory. */
async function restarted(
  disk: FaultyDisk,
  config: object,
  publish: (server: SimulatedJetStream) => Promise<void>,
) {
  const before = await SimulatedJetStream.start(disk);
  await before.create(config);
  await publish(before);
  await before.close();
  return SimulatedJetStream.start(disk, before.clock);
}

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  await settle();
}

describe("a disk that cannot be read", () => {
  for (const [what, key, request] of [
    ["the last message of a subject", ".s.1", ""],
    ["one message", "", { seq: 1 }],
    ["the next message", "", { seq: 1, next_by_subj: "s.>" }],
    ["a batch", "", { seq: 1, batch: 3 }],
    ["the last of several subjects", "", { multi_last: ["s.>"] }],
  ] as const) {
    it(`is told to who asks for ${what}, and logged`, async () => {
      const disk = new FaultyDisk();
      const server = await restarted(disk, { allow_direct: true }, async (before) => {
        await before.ask("s.1", "one");
        await before.ask("s.2", "two");
      });
      disk.failReads();
      const { headers } = await server.ask(`$JS.API.DIRECT.GET.S${key}`, request);
      assert.equal(headers, "NATS/1.0 500 Message Cannot Be Read\r\n\r\n");
      assert.equal(server.logger.levels.filter((line) => /^error: .*direct get/.test(line)).length, 1);
      disk.beforeRead = undefined;
      assert.equal((await server.ask("$JS.API.DIRECT.GET.S.s.1")).text, "one");
      await server.close();
    });
  }

  it("keeps what expires until it can be read: then it is marked", async () => {
    const disk = new FaultyDisk();
    const config = { max_age: 60e9, subject_delete_marker_ttl: 600e9, allow_rollup_hdrs: true };
    const server = await restarted(disk, { ...config, allow_msg_ttl: true }, async (before) => {
      await before.ask("s.1", "one");
      // The last message was read as the server started.
      await before.ask("s.2", "two");
    });
    disk.failReads();
    // The second is due when the first cannot be read, and is marked when that is tried again.
    await server.clock.advance(60_000);
    await turns();
    assert.ok(server.logger.levels.some((line) => /^error: .*expiry/.test(line)));
    await server.clock.advance(1_001);
    await turns();
    const waiting = await server.state();
    assert.deepEqual([waiting.messages, waiting.first_seq, waiting.last_seq], [2, 1, 3]);
    disk.beforeRead = undefined;
    await server.clock.advance(1_001);
    await turns();
    const state = await server.state();
    assert.deepEqual([state.messages, state.first_seq, state.last_seq], [2, 3, 4]);
    await server.close();
  });

  it("delays new sources, as their positions may be in messages", async () => {
    const disk = new FaultyDisk();
    const server = await restarted(disk, {}, async (before) => {
      await before.ask("s.1", "one");
      await before.ask("s.2", "two");
      await before.create({ name: "FROM", subjects: ["from"] });
      await before.ask("from", "a");
    });
    disk.failReads();
    const sources = [{ name: "FROM" }];
    assert.equal((await server.json(UPDATE, { name: "S", subjects: ["s.>"], sources })).error, undefined);
    await turns();
    assert.ok(server.logger.levels.some((line) => /^error: .*sources/.test(line)));
    disk.beforeRead = undefined;
    await server.clock.advance(1_001);
    await turns();
    assert.equal((await server.state()).messages, 3);
    await server.close();
  });

  it("delays schedules that were stored", async () => {
    const disk = new FaultyDisk();
    const { get } = FileStore.prototype;
    const failing = new Set([1]);
    FileStore.prototype.get = function (seq) {
      return failing.has(seq) ? Promise.reject(new DiskError("failed", "no")) : get.call(this, seq);
    };
    try {
      const server = await restarted(disk, { allow_msg_schedules: true }, async (before) => {
        const at = new Date(before.clock.now() + 5_000).toISOString();
        const headers = { "Nats-Schedule": `@at ${at}`, "Nats-Schedule-Target": "s.target" };
        assert.equal((await before.json("s.plan", "x", headers)).error, undefined);
        await before.ask("s.2", "two");
      });
      await turns();
      assert.ok(server.logger.levels.some((line) => /^error: .*schedules/.test(line)));
      failing.clear();
      await server.clock.advance(1_001);
      await turns();
      await server.clock.advance(5_000);
      await turns();
      assert.equal(
        (await server.json("$JS.API.STREAM.MSG.GET.S", { last_by_subj: "s.target" })).message?.seq,
        3,
      );
      await server.close();
    } finally {
      FileStore.prototype.get = get;
    }
  });

  it("is tried again by a consumer now and then, not with each message that comes; then it goes on by itself", async () => {
    const disk = new FaultyDisk();
    const server = await restarted(disk, {}, async (before) => {
      const config = { durable_name: "C", ack_policy: "explicit" };
      await before.json("$JS.API.CONSUMER.DURABLE.CREATE.S.C", { stream_name: "S", config });
      await before.ask("s.1", "one");
      // The last message was read as the server started.
      await before.ask("s.2", "two");
    });
    let reads = 0;
    disk.beforeRead = () => {
      reads += 1;
      throw new DiskError("failed", "no");
    };
    server.publish("$JS.API.CONSUMER.MSG.NEXT.S.C", JSON.stringify({ batch: 1, expires: 30e9 }));
    for (let i = 0; i < 20; i++) await server.ask("s.2", "more");
    const said = server.logger.levels.filter((line) => /^error: .*cannot read its stream/.test(line));
    assert.deepEqual([said.length, reads], [1, 1]);
    await server.clock.advance(2_500);
    await turns();
    assert.equal(reads, 3);
    disk.beforeRead = undefined;
    await server.clock.advance(1_000);
    await turns();
    const { delivered } = await server.json("$JS.API.CONSUMER.INFO.S.C");
    assert.equal(delivered.stream_seq, 1);
    await server.close();
  });
});
