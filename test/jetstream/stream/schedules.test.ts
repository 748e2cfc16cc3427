/** Schedules over the life of a server. What they make is compared in test/peers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { resumedDue } from "../../../src/jetstream/publish/schedule.ts";
import { picker } from "../../support/jetstream-script.ts";
import { SimulatedJetStream } from "../../support/jetstream-simulated.ts";
import type { VirtualClock } from "../../support/simulated.ts";
import { SimulatedDisk } from "../../support/simulated-disk.ts";

const CONFIG = { allow_msg_schedules: true };

function at(clock: VirtualClock, wait: number): string {
  return `@at ${new Date(clock.now() + wait).toISOString()}`;
}

async function plan(server: SimulatedJetStream, pattern: string, subject = "s.plan"): Promise<void> {
  const headers = { "Nats-Schedule": pattern, "Nats-Schedule-Target": "s.target" };
  const { error } = await server.json(subject, `from ${subject}`, headers);
  assert.equal(error, undefined);
}

/** How many messages there are on a subject. */
async function count(server: SimulatedJetStream, subject: string): Promise<number> {
  const { state } = await server.json("$JS.API.STREAM.INFO.S", { subjects_filter: ">" });
  return state.subjects?.[subject] ?? 0;
}

describe("schedules", () => {
  it("are due to the millisecond, and cost one timer a stream", async () => {
    const server = await SimulatedJetStream.start(new SimulatedDisk());
    await server.create(CONFIG);
    const before = server.clock.pending;
    await plan(server, at(server.clock, 9_000), "s.late");
    await plan(server, at(server.clock, 5_000));
    assert.equal(server.clock.pending, before + 1);
    await server.clock.advance(4_999);
    assert.equal(await count(server, "s.target"), 0);
    await server.clock.advance(1);
    assert.equal(await count(server, "s.target"), 1);
    assert.equal(await count(server, "s.plan"), 0);
    await server.clock.advance(4_000);
    assert.equal(await count(server, "s.target"), 2);
    assert.equal(server.clock.pending, before, "nothing is left to wait for");
    await server.close();
  });

  it("are found again, be it after an end or a crash, and make up once for what was missed", async () => {
    for (const ends of [true, false]) {
      const disk = new SimulatedDisk();
      const one = await SimulatedJetStream.start(disk);
      await one.create(CONFIG);
      await plan(one, at(one.clock, 60_000), "s.once");
      await plan(one, at(one.clock, 900_000), "s.far");
      await plan(one, "@every 10s", "s.every");
      await plan(one, "0 * * * * *", "s.cron");
      await one.clock.advance(35_000);
      assert.equal(await count(one, "s.target"), 4, "three of every ten seconds, one of the minute");
      if (ends) await one.close();
      else disk.halt();
      await one.clock.advance(3_600_000 - 35_000);
      const again = ends ? disk : disk.crash(picker(1));
      const two = await SimulatedJetStream.start(again, one.clock);
      await two.clock.advance(1);
      assert.equal(await count(two, "s.target"), 4 + 4, "one of each");
      assert.equal(await count(two, "s.once"), 0);
      assert.equal(await count(two, "s.far"), 0);
      await two.clock.advance(120_000);
      assert.equal(await count(two, "s.target"), 8 + 12 + 2);
      await two.close();
    }
  });

  it("do not make again after a restart what they have made", async () => {
    const disk = new SimulatedDisk();
    const one = await SimulatedJetStream.start(disk);
    await one.create(CONFIG);
    await plan(one, "@every 10s");
    await one.clock.advance(25_000);
    await one.json("$JS.API.STREAM.PURGE.S", { filter: "s.target" });
    await one.close();
    const two = await SimulatedJetStream.start(disk, one.clock);
    await two.clock.advance(4_000);
    assert.equal(await count(two, "s.target"), 0);
    await two.clock.advance(2_000);
    assert.equal(await count(two, "s.target"), 1);
    await two.close();
  });

  it("stay ended after a restart", async () => {
    const disk = new SimulatedDisk();
    const one = await SimulatedJetStream.start(disk);
    await one.create(CONFIG);
    await plan(one, at(one.clock, 10_000), "s.one");
    await one.ask("s.one", "no schedule");
    await plan(one, at(one.clock, 10_000), "s.two");
    await one.json("$JS.API.STREAM.PURGE.S", { filter: "s.two" });
    await plan(one, at(one.clock, 10_000), "s.three");
    await plan(one, at(one.clock, 90_000), "s.three");
    await one.close();
    const two = await SimulatedJetStream.start(disk, one.clock);
    await two.clock.advance(20_000);
    assert.equal(await count(two, "s.target"), 0);
    await two.clock.advance(80_000);
    assert.equal(await count(two, "s.target"), 1);
    await two.close();
  });

  it("come back where the disk was full for what would have replaced them, or for what they make", async () => {
    const disk = new SimulatedDisk();
    const server = await SimulatedJetStream.start(disk);
    await server.create(CONFIG);
    await plan(server, at(server.clock, 10_000));
    disk.before = (_, name) => (name === "write" ? "full" : undefined);
    const headers = { "Nats-Schedule": at(server.clock, 20_000), "Nats-Schedule-Target": "s.target" };
    assert.equal((await server.json("s.plan", "replaces", headers)).error.err_code, 10023);
    await server.clock.advance(12_000);
    assert.equal(await count(server, "s.target"), 0);
    disk.before = undefined;
    await server.clock.advance(120_000);
    assert.equal(await count(server, "s.target"), 1);
    assert.equal(await count(server, "s.plan"), 0);
    await server.close();
  });

  it("end with their stream", async () => {
    const server = await SimulatedJetStream.start(new SimulatedDisk());
    await server.create(CONFIG);
    await plan(server, at(server.clock, 10_000));
    await server.json("$JS.API.STREAM.DELETE.S");
    await server.clock.advance(20_000);
    await server.close();
    assert.equal(server.clock.pending, 0);
  });
});

describe("the time that a schedule is due next, when it is found again", () => {
  const stored = Date.UTC(2026, 0, 1, 0, 0, 0, 300);
  const second = Math.round(stored / 1_000) * 1_000;
  const due = (pattern: string, done: number) => resumedDue(pattern, undefined, stored, done)?.time;

  it("keeps the rhythm", () => {
    assert.equal(due("@every 10s", stored), second + 10_000);
    assert.equal(due("@every 10s", second + 9_999), second + 10_000);
    assert.equal(due("@every 10s", second + 10_000), second + 20_000);
    assert.equal(due("@every 10s", second + 99_999), second + 100_000);
    assert.equal(due("@hourly", stored), Date.UTC(2026, 0, 1, 1));
    assert.equal(due("@hourly", Date.UTC(2026, 0, 1, 7)), Date.UTC(2026, 0, 1, 8));
    assert.equal(due("@at 2020-01-01T00:00:00Z", stored), Date.UTC(2020, 0, 1));
    assert.equal(due("@every x", stored), undefined);
  });
});
