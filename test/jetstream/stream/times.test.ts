/** The times of messages: each is later than the one before, and the same wherever it is told. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { timestampNs, timestampOf } from "../../../src/jetstream/json/timestamps.ts";
import { laterBy, timeAfter } from "../../../src/jetstream/stream/message-time.ts";
import { picker } from "../../support/jetstream-script.ts";
import { SimulatedJetStream } from "../../support/jetstream-simulated.ts";
import { VirtualClock } from "../../support/simulated.ts";
import { SimulatedDisk } from "../../support/simulated-disk.ts";

const HOUR_MS = 3_600_000;
/** A day of our time, so that numbers are as large as they will be. */
const TODAY = 1_800_000_000_000;

/** A clock that can be set. */
class Settable extends VirtualClock {
  ahead = 0;

  override now(): number {
    return super.now() + this.ahead;
  }

  override precise(): number {
    return super.precise() + this.ahead;
  }
}

function today(): Settable {
  const clock = new Settable();
  clock.ahead = TODAY;
  return clock;
}

/** When a message of "S" was stored, in µs. */
async function microsOf(server: SimulatedJetStream, seq: number, stream = "S"): Promise<number> {
  const { message } = await server.json(`$JS.API.STREAM.MSG.GET.${stream}`, { seq });
  return micros(message.time);
}

function micros(time: string): number {
  const ns = timestampNs(time);
  assert.equal(ns % 1_000n, 0n, time);
  return Number(ns / 1_000n);
}

/** Publishes so many messages at once. */
async function publishAtOnce(server: SimulatedJetStream, count: number): Promise<void> {
  for (let i = 1; i < count; i++) server.publish(`s.${i % 3}`, `${i}`);
  await server.ask("s.end", "");
}

/** The pending messages of a consumer that begins with those not before a time. */
async function pendingFrom(server: SimulatedJetStream, time: string): Promise<number> {
  const config = { deliver_policy: "by_start_time", opt_start_time: time, ack_policy: "none" };
  return (await server.json("$JS.API.CONSUMER.CREATE.S", { stream_name: "S", config })).num_pending;
}

/** A moment that may be a few nanoseconds after one of whole microseconds. */
function moment(at: number, nanos = 0): string {
  const [whole, fraction = ""] = timestampOf(at / 1_000)
    .slice(0, -1)
    .split(".");
  return `${whole}.${fraction.padEnd(6, "0")}${String(nanos).padStart(3, "0")}Z`;
}

describe("the time of a message", () => {
  it("is the clock's, or a microsecond after the last one, to the very number that a file gives back", () => {
    assert.equal(timeAfter(0, TODAY), TODAY);
    assert.equal(timeAfter(TODAY, TODAY + 0.001), TODAY + 0.001);
    let last = TODAY;
    for (let i = 1; i <= 10_000; i++) {
      const time = timeAfter(last, TODAY);
      assert.ok(time > last);
      assert.equal(time, (TODAY * 1_000 + i) / 1_000);
      assert.equal(time, laterBy(TODAY, i));
      last = time;
    }
  });

  it("follows a clock that was set back by more than an hour", () => {
    assert.equal(timeAfter(TODAY, TODAY - HOUR_MS), TODAY + 0.001);
    assert.equal(timeAfter(TODAY, TODAY - HOUR_MS - 1), TODAY - HOUR_MS - 1);
  });

  for (const storage of ["file", "memory"]) {
    it(`rises within one ms of the clock, also when more than a thousand come in it, in ${storage}`, async () => {
      const count = 2_500;
      const clock = today();
      const server = await SimulatedJetStream.start(new SimulatedDisk(), clock);
      await server.create({ storage });
      const start = clock.now() * 1_000;
      await publishAtOnce(server, count);
      const state = await server.state();
      assert.equal(state.messages, count);
      assert.deepEqual([micros(state.first_ts), micros(state.last_ts)], [start, start + count - 1]);
      for (let seq = 1; seq <= count; seq += 49)
        assert.equal(await microsOf(server, seq), start + seq - 1, `${seq}`);
      // The clock has not caught up in the next ms: times go on rising. Then they are its own.
      await clock.advance(1);
      await server.ask("s.1", "");
      assert.equal(await microsOf(server, count + 1), start + count);
      await clock.advance(10);
      await server.ask("s.1", "");
      assert.equal(await microsOf(server, count + 2), start + 11_000);
      await server.close();
    });
  }

  it("rises among the messages of a batch, and of those that nobody wants", async () => {
    const server = await SimulatedJetStream.start(new SimulatedDisk(), today());
    await server.create({ allow_atomic: true, retention: "interest" });
    const config = { durable_name: "c", filter_subject: "s.a", ack_policy: "explicit" };
    await server.json("$JS.API.CONSUMER.CREATE.S.c", { stream_name: "S", config });
    const start = server.clock.now() * 1_000;
    const batch = (seq: number, more = {}) => ({
      "Nats-Batch-Id": "b",
      "Nats-Batch-Sequence": `${seq}`,
      ...more,
    });
    await server.ask("s.a", "1");
    await server.ask("s.b", "2");
    await server.ask("s.a", "3", batch(1));
    server.publish("s.b", "4", batch(2));
    const { batch: id, error } = await server.json("s.a", "5", batch(3, { "Nats-Batch-Commit": "1" }));
    assert.deepEqual([id, error], ["b", undefined]);
    await server.ask("s.a", "6");
    for (const seq of [1, 3, 5, 6]) assert.equal(await microsOf(server, seq), start + seq - 1, `${seq}`);
    await server.ask("s.b", "7");
    assert.equal(micros((await server.state()).last_ts), start + 6);
    await server.close();
  });

  it("is the same in gets, in copies, which get it with what is delivered, and in what is published again", async () => {
    const server = await SimulatedJetStream.start(new SimulatedDisk(), today());
    await server.create({ allow_direct: true, republish: { src: "s.>", dest: "again.>" } });
    await server.create({ name: "AGAIN", subjects: ["again.>"] });
    await server.create({ name: "COPY", subjects: undefined, mirror: { name: "S" } });
    await server.clock.advance(100);
    await publishAtOnce(server, 20);
    for (let i = 0; i < 20 && (await copied(server)) < 20; i++) await server.clock.advance(500);
    assert.equal(await copied(server), 20);
    const from = await microsOf(server, 1);
    for (const seq of [1, 2, 11, 20]) {
      const at = from + seq - 1;
      assert.equal(await microsOf(server, seq), at);
      assert.equal(await microsOf(server, seq, "COPY"), at);
      const direct = await server.ask("$JS.API.DIRECT.GET.S", { seq });
      assert.equal(micros(/Nats-Time-Stamp: (.*)\r/.exec(direct.headers)![1]), at);
      const { message } = await server.json("$JS.API.STREAM.MSG.GET.AGAIN", { seq });
      assert.equal(micros(/Nats-Time-Stamp: (.*)\r/.exec(atob(message.hdrs))![1]), at);
    }
    await server.close();
  });

  it("is what requests begin with, to the nanosecond", async () => {
    const server = await SimulatedJetStream.start(new SimulatedDisk(), today());
    await server.create({ allow_direct: true });
    const count = 1_200;
    await publishAtOnce(server, count);
    const start = await microsOf(server, 1);
    for (const seq of [1, 2, 600, 999, 1_000, 1_001, count]) {
      const at = start + seq - 1;
      assert.equal(await pendingFrom(server, moment(at)), count - seq + 1, `from ${seq}`);
      assert.equal(await pendingFrom(server, moment(at, 1)), count - seq, `after ${seq}`);
      assert.equal(await pendingFrom(server, moment(at - 1, 999)), count - seq + 1, `before ${seq}`);
      const request = { start_time: moment(at), next_by_subj: "s.>" };
      const { message } = await server.json("$JS.API.STREAM.MSG.GET.S", request);
      assert.equal(message.seq, seq);
      const direct = await server.ask("$JS.API.DIRECT.GET.S", request);
      assert.match(direct.headers, new RegExp(`\nNats-Sequence: ${seq}\r`));
      const upTo = { multi_last: [`s.${(seq - 1) % 3}`], up_to_time: moment(at) };
      const last = await server.ask("$JS.API.DIRECT.GET.S", upTo);
      const expected = seq > 1 ? new RegExp(`\nNats-UpTo-Sequence: ${seq - 1}\r`) : /404 No Results/;
      assert.match(last.headers, expected, `up to ${seq}`);
    }
    await server.close();
  });

  for (const [what, end] of [
    ["a restart", (server: SimulatedJetStream, disk: SimulatedDisk) => server.close().then(() => disk)],
    ["a crash", async (_: SimulatedJetStream, disk: SimulatedDisk) => disk.crash(picker(1))],
  ] as const) {
    it(`goes on rising after ${what}, be the stream empty, or the clock set back`, async () => {
      const clock = today();
      const disk = new SimulatedDisk();
      const before = await SimulatedJetStream.start(disk, clock);
      await before.create();
      await before.create({ name: "E", subjects: ["e"] });
      await publishAtOnce(before, 1_100);
      const start = await microsOf(before, 1);
      for (let i = 0; i < 9; i++) before.publish("e");
      await before.ask("e");
      await before.json("$JS.API.STREAM.PURGE.E");
      const left = await end(before, disk);
      for (const [back, seq] of [
        [0, 1_101],
        [600_000, 1_102],
      ]) {
        clock.ahead = TODAY - back;
        const server = await SimulatedJetStream.start(left, clock);
        for (const old of [1, 777, 1_100]) assert.equal(await microsOf(server, old), start + old - 1);
        await server.ask("s.1", "");
        assert.equal(await microsOf(server, seq), start + seq - 1);
        await server.ask("e", "");
        assert.equal(await microsOf(server, seq - 1_090, "E"), start + seq - 1_091);
        await server.close();
      }
      clock.ahead = TODAY - 2 * HOUR_MS;
      const server = await SimulatedJetStream.start(left, clock);
      await server.ask("s.1", "");
      assert.equal(await microsOf(server, 1_103), clock.now() * 1_000);
      await server.close();
    });
  }

  it("is what ages are counted from: nothing goes early, all goes", async () => {
    const server = await SimulatedJetStream.start(new SimulatedDisk(), today());
    await server.create({ max_age: 1e9 });
    await publishAtOnce(server, 1_500);
    await server.clock.advance(999);
    assert.equal((await server.state()).messages, 1_500);
    // Of those in a ms the first is due.
    await server.clock.advance(1);
    assert.equal((await server.state()).messages, 1_499);
    await server.clock.advance(1);
    assert.equal((await server.state()).messages, 499);
    await server.clock.advance(1);
    assert.equal((await server.state()).messages, 0);
    await server.close();
  });
});

async function copied(server: SimulatedJetStream): Promise<number> {
  return (await server.json("$JS.API.STREAM.INFO.COPY")).state.last_seq;
}
