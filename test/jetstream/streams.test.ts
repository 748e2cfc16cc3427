/** Streams over the life of a server: they survive its end, a crash, a full disk, and damage. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { picker } from "../support/jetstream-script.ts";
import { SimulatedJetStream } from "../support/jetstream-simulated.ts";
import { VirtualClock } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";

const API = "$JS.API.STREAM";

describe("streams and restarts", () => {
  it("come back with their messages, their configuration and the ids of late", async () => {
    const disk = new SimulatedDisk();
    const one = await SimulatedJetStream.start(disk);
    await one.create();
    for (let i = 1; i <= 5; i++)
      await one.ask(`s.${i}`, `message ${i}`, i === 5 ? { "Nats-Msg-Id": "five" } : {});
    await one.json(`${API}.UPDATE.S`, { name: "S", subjects: ["s.>", "t"], description: "changed" });
    await one.json(`${API}.MSG.DELETE.S`, { seq: 2 });
    await one.create({ name: "GONE", subjects: ["gone"] });
    await one.json(`${API}.DELETE.GONE`);
    await one.create({ name: "M", subjects: ["memory"], storage: "memory" });
    const { created } = await one.json(`${API}.INFO.S`);
    await one.close();

    const two = await SimulatedJetStream.start(disk, one.clock);
    const info = await two.json(`${API}.INFO.S`);
    assert.equal(info.config.description, "changed");
    assert.equal(info.created, created);
    assert.equal(info.state.messages, 4);
    assert.equal(await two.message(2), undefined);
    assert.equal(await two.message(5), "message 5");
    assert.deepEqual(await two.json("s.5", "again", { "Nats-Msg-Id": "five" }), {
      stream: "S",
      seq: 5,
      duplicate: true,
    });
    assert.deepEqual(await two.json("t", "x"), { stream: "S", seq: 6 });
    assert.deepEqual(
      (await two.json(`${API}.NAMES`)).streams,
      ["S"],
      "what was deleted or in memory is gone",
    );
    await two.close();
  });

  it("forget ids when their time is over, also after a restart", async () => {
    const disk = new SimulatedDisk();
    const one = await SimulatedJetStream.start(disk);
    await one.create({ duplicate_window: 10e9 });
    await one.ask("s.1", "x", { "Nats-Msg-Id": "a" });
    await one.close();
    await one.clock.advance(11_000);
    const two = await SimulatedJetStream.start(disk, one.clock);
    assert.equal((await two.json("s.1", "x", { "Nats-Msg-Id": "a" })).seq, 2);
    await two.clock.advance(9_000);
    assert.equal((await two.json("s.1", "x", { "Nats-Msg-Id": "a" })).duplicate, true);
    await two.clock.advance(2_000);
    assert.equal((await two.json("s.1", "x", { "Nats-Msg-Id": "a" })).seq, 3);
    await two.close();
  });

  it("let messages expire that were due while the server was away", async () => {
    const disk = new SimulatedDisk();
    const one = await SimulatedJetStream.start(disk);
    await one.create({ max_age: 60e9, allow_msg_ttl: true });
    await one.ask("s.1", "old");
    await one.ask("s.2", "stays", { "Nats-TTL": "never" });
    await one.close();
    await one.clock.advance(50_000);
    const two = await SimulatedJetStream.start(disk, one.clock);
    await two.ask("s.3", "new");
    await two.clock.advance(10_001);
    assert.equal((await two.state()).messages, 2);
    assert.equal(await two.message(1), undefined);
    await two.clock.advance(60_000);
    assert.equal((await two.state()).messages, 1);
    assert.equal(await two.message(2), "stays");
    await two.close();
  });

  it("keep what only a consumer wants that is gone with the server, whatever becomes of others", async () => {
    const disk = new SimulatedDisk();
    const one = await SimulatedJetStream.start(disk);
    const consumer = (name: string, filter: string, more: object = {}) =>
      [
        `$JS.API.CONSUMER.CREATE.S.${name}`,
        {
          stream_name: "S",
          config: { durable_name: name, ack_policy: "explicit", filter_subject: filter, ...more },
        },
      ] as const;
    const memory = consumer("memory", "s.*", { mem_storage: true });
    await one.create({ retention: "interest" });
    await one.json(...memory);
    await one.json(...consumer("file", "s.1"));
    for (const subject of ["s.1", "s.2", "s.3"]) await one.ask(subject, subject);
    await one.close();

    const two = await SimulatedJetStream.start(disk, one.clock);
    await two.json(...consumer("file", "s.1", { description: "changed" }));
    await two.json(...consumer("other", "s.3"));
    await two.json("$JS.API.CONSUMER.DELETE.S.other");
    await two.json(`${API}.UPDATE.S`, { name: "S", subjects: ["s.>"], retention: "interest", max_msgs: 10 });
    assert.equal((await two.state()).messages, 2, "all but what only a deleted one wanted");
    assert.equal((await two.json(...memory)).num_pending, 2);
    await two.json("$JS.API.CONSUMER.DELETE.S.memory");
    assert.equal((await two.state()).messages, 1);
    await two.json("$JS.API.CONSUMER.DELETE.S.file");
    assert.equal((await two.state()).messages, 0);
    await two.close();
  });
});

describe("schedules", () => {
  it("are kept over restarts, make up for what was missed once, and end with their message", async () => {
    const disk = new SimulatedDisk();
    const one = await SimulatedJetStream.start(disk);
    await one.create({ allow_msg_schedules: true });
    const plan = { "Nats-Schedule": "@every 10s", "Nats-Schedule-Target": "s.made" };
    await one.ask("s.plan", "made", plan);
    await one.ask("s.other", "x", { ...plan, "Nats-Schedule": "@every 1h" });
    await one.clock.advance(25_000);
    assert.equal((await one.state()).last_seq, 4);
    await one.close();
    await one.clock.advance(100_000);
    const two = await SimulatedJetStream.start(disk, one.clock);
    await two.clock.advance(5_000);
    assert.equal((await two.state()).last_seq, 5, "what was due again and again meanwhile comes once");
    assert.equal(await two.message(5), "made");
    await two.json(`${API}.PURGE.S`, { filter: "s.plan" });
    await two.clock.advance(60_000);
    assert.equal((await two.state()).last_seq, 5);
    await two.close();
  });
});

/** A server is killed at some call to its disk, while clients publish; then all that they were told must be true. */
async function crash(seed: number): Promise<void> {
  const pick = picker(seed);
  let disk = new SimulatedDisk();
  const clock = new VirtualClock();
  const acknowledged = new Map<number, string>();
  const sent = new Map<string, number>();
  let next = 0;
  for (let round = 0; round < 3; round++) {
    const server = await SimulatedJetStream.start(disk, clock);
    if (round === 0) await server.create();
    const state = await server.state();
    for (const [seq, payload] of acknowledged) {
      assert.equal(await server.message(seq), payload, `seed ${seed}: ${seq} was acknowledged`);
    }
    assert.ok(state.last_seq >= Math.max(0, ...acknowledged.keys()), `seed ${seed}`);
    for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
      assert.ok(
        sent.has((await server.message(seq)) ?? ""),
        `seed ${seed}: ${seq} is a message that was sent`,
      );
    }
    const cut = disk.calls + 1 + pick(12);
    disk.before = (call) => {
      if (call === cut) disk.halt();
      return undefined;
    };
    const waiting = new Map<number, string>();
    for (let i = 0; i < 10; i++) {
      for (let j = pick(4); j >= 0; j--) {
        const payload = `message ${++next} ${"x".repeat(pick(900))}`;
        const headers = pick(3) === 0 ? { "Nats-Msg-Id": String(next) } : undefined;
        sent.set(payload, next);
        waiting.set(server.publish(`s.${pick(5)}`, payload, headers), payload);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const [number, payload] of waiting) {
      const answer = server.answerTo(number);
      if (answer === undefined) continue;
      const { seq, error } = JSON.parse(answer.text);
      assert.equal(error, undefined, `seed ${seed}`);
      assert.equal(acknowledged.has(seq), false, `seed ${seed}: no sequence is given twice`);
      acknowledged.set(seq, payload);
    }
    disk = disk.crash(pick);
  }
}

describe("streams and crashes", () => {
  it("keep every message that was acknowledged, and give no sequence twice", async () => {
    for (let seed = 1; seed <= 60; seed++) await crash(seed);
  });

  it("are there once the request was answered, and gone likewise", async () => {
    for (let cut = 1; cut < 60; cut++) {
      const disk = new SimulatedDisk();
      const server = await SimulatedJetStream.start(disk);
      await server.create({ name: "OLD", subjects: ["old"] });
      await server.ask("old", "x");
      const calls = disk.calls;
      disk.before = (call) => {
        if (call === calls + cut) disk.halt();
        return undefined;
      };
      const made = server.publish(`${API}.CREATE.S`, JSON.stringify({ name: "S", subjects: ["s.>"] }));
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
      const wasMade = server.answerTo(made) !== undefined;
      const deleted = server.publish(`${API}.DELETE.OLD`);
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
      const wasDeleted = server.answerTo(deleted) !== undefined;
      const after = await SimulatedJetStream.start(disk.crash(picker(cut)), server.clock);
      const { streams } = await after.json(`${API}.NAMES`);
      if (wasMade) assert.ok(streams?.includes("S"), `cut ${cut}`);
      if (wasDeleted) assert.ok(!streams?.includes("OLD"), `cut ${cut}`);
      // One of the same name does not find what the other has left.
      await after.create({ name: "OLD", subjects: ["old"] }).catch(() => {});
      const { state } = await after.json(`${API}.INFO.OLD`);
      assert.equal(state.messages, streams?.includes("OLD") ? 1 : 0, `cut ${cut}`);
      await after.close();
    }
  });
});

describe("streams and disks that fail", () => {
  it("refuse while the disk is full, and go on when there is space", async () => {
    const disk = new SimulatedDisk();
    const server = await SimulatedJetStream.start(disk);
    await server.create({ duplicate_window: 60e9 });
    assert.equal((await server.json("s.1", "before")).seq, 1);
    disk.before = (_, name) => (name === "write" ? "full" : undefined);
    const { error } = await server.json("s.1", "lost", { "Nats-Msg-Id": "a" });
    assert.equal(error.err_code, 10023);
    assert.equal((await server.json("s.1", "at once")).error.err_code, 10023);
    assert.equal((await server.state()).messages, 1);
    disk.before = undefined;
    await server.clock.advance(1_500);
    const stored = await server.json("s.1", "after", { "Nats-Msg-Id": "a" });
    assert.deepEqual(stored, { stream: "S", seq: 2 }, "an id whose message was refused is not known");
    assert.ok(server.logger.lines.some((line) => line.includes("no space")));
    await server.close();
    const again = await SimulatedJetStream.start(disk, server.clock);
    assert.deepEqual([await again.message(1), await again.message(2)], ["before", "after"]);
    await again.close();
  });

  it("stop when a sync fails, and leave the others alone", async () => {
    const disk = new SimulatedDisk();
    const server = await SimulatedJetStream.start(disk);
    await server.create();
    await server.create({ name: "T", subjects: ["t"] });
    await server.ask("s.1", "before");
    disk.before = (_, name, path) => (name === "sync" && path.includes("/%53/") ? "failed" : undefined);
    assert.equal((await server.json("s.1", "x")).error.err_code, 10077);
    assert.equal((await server.json("s.1", "x")).error.err_code, 10077);
    assert.equal((await server.json("t", "x")).seq, 1);
    assert.equal(await server.message(1), "before");
    await server.close();
  });

  it("are offline, and kept, when what describes them is damaged or from a newer server", async () => {
    const disk = new SimulatedDisk();
    const server = await SimulatedJetStream.start(disk);
    await server.create();
    await server.ask("s.1", "x");
    await server.close();
    const documents = [...disk.files().keys()].filter((path) =>
      /\/s\.(doc|copy)$|S\.(doc|copy)$|%53\.(doc|copy)$/.test(path),
    );
    assert.equal(documents.length, 2, [...disk.files().keys()].join());
    const damaged = documents.reduce((copy, path) => copy.copy(path, new Uint8Array(40)), disk);
    const again = await SimulatedJetStream.start(damaged, server.clock);
    assert.equal((await again.json(`${API}.INFO.S`)).error.err_code, 10194);
    assert.deepEqual((await again.json(`${API}.LIST`)).missing, ["S"]);
    const body = { name: "S", subjects: ["s.>"] };
    assert.equal((await again.json(`${API}.CREATE.S`, body)).error.err_code, 10058);
    assert.ok(again.logger.lines.some((line) => line.includes("Stream '$G > S' is offline")));
    assert.equal((await again.json(`${API}.DELETE.S`)).success, true);
    assert.equal((await again.json(`${API}.CREATE.S`, body)).error, undefined);
    assert.equal((await again.state()).messages, 0);
    await again.close();
  });

  it("are not served by two servers", async () => {
    const disk = new SimulatedDisk();
    const server = await SimulatedJetStream.start(disk);
    await assert.rejects(SimulatedJetStream.start(disk), {
      name: "ServerError",
      code: "STORAGE_FAILED",
      option: "jetstream.storeDir",
      message: /^cannot use data\/jetstream for JetStream: /,
    });
    await server.close();
    await (await SimulatedJetStream.start(disk)).close();
  });
});
