/** What comes into streams while a disk is slow, full or broken. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import type { Timer } from "../../../src/seams/clock.ts";
import { FileStore } from "../../../src/storage/file-store.ts";
import { IndexedStore } from "../../../src/storage/indexed-store.ts";
import { BusyClock } from "../../support/busy-clock.ts";
import { FaultyDisk } from "../../support/faulty-disk.ts";
import { SimulatedJetStream } from "../../support/jetstream-simulated.ts";
import { settle, TestLink, VirtualClock } from "../../support/simulated.ts";
import { SimulatedDisk } from "../../support/simulated-disk.ts";

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  await settle();
}

/** A clock that fails what would set timers again and again. */
class PatientClock extends VirtualClock {
  #timers = 0;

  override after(ms: number, action: () => void): Timer {
    this.#timers += 1;
    assert.ok(this.#timers < 1_000, "it looks again and again");
    return super.after(ms, action);
  }
}

/** A promise, and what resolves it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A stream of counters, whose first one has to be read from a disk that waits. */
async function behindOneRead(clock?: VirtualClock) {
  const disk = new FaultyDisk();
  const before = await SimulatedJetStream.start(disk);
  await before.create({ allow_msg_counter: true });
  await before.ask("s.1", "", { "Nats-Incr": "1" });
  await before.ask("s.2", "", { "Nats-Incr": "1" });
  await before.close();
  const server = await SimulatedJetStream.start(disk, clock ?? before.clock);
  const { opened, open } = gate();
  disk.beforeRead = () => opened;
  const first = server.publish("s.1", "", { "Nats-Incr": "2" });
  await settle();
  return { server, first, open };
}

describe("messages behind one that has to be read for", () => {
  const { append } = FileStore.prototype;
  afterEach(() => {
    FileStore.prototype.append = append;
  });

  it("wait up to a limit of memory, empty ones too", async () => {
    const { server, first, open } = await behindOneRead();
    const link = new TestLink();
    server.server.inProcessConn().accept(link);
    link.send('CONNECT {"verbose":false}\r\n');
    const fits = server.publish("s.2", "", { "Nats-Incr": "1" });
    for (let i = 0; i < 300; i++) link.send("PUB s.3 0\r\n\r\n".repeat(1_000));
    const refused = server.publish("s.2", "", { "Nats-Incr": "1" });
    assert.equal(server.answerTo(refused)?.headers, "NATS/1.0 429 Too Many Requests\r\n\r\n");
    open();
    await turns();
    assert.match(server.answerTo(first)?.text ?? "", /"val":"3"/);
    assert.match(server.answerTo(fits)?.text ?? "", /"val":"2"/);
    assert.match((await server.ask("s.2", "", { "Nats-Incr": "1" })).text, /"val":"3"/);
    await server.close();
  });

  it("leave others their turn, however many they are", async () => {
    const clock = new BusyClock(0);
    const { server, open } = await behindOneRead(clock);
    clock.cost = 0.1;
    const behind = Array.from({ length: 200 }, () => server.publish("s.2", "", { "Nats-Incr": "1" }));
    open();
    await turns();
    const answered = behind.filter((each) => server.answerTo(each) !== undefined);
    assert.ok(answered.length < 200, "not all in one go");
    clock.cost = 0;
    await clock.advance(1);
    await turns();
    assert.match(server.answerTo(behind[199])?.text ?? "", /"val":"201"/);
    await server.close();
  });

  it("are seen to when something goes wrong with the first", async () => {
    const { server, first, open } = await behindOneRead();
    const second = server.publish("s.2", "", { "Nats-Incr": "1" });
    FileStore.prototype.append = () => {
      FileStore.prototype.append = append;
      throw new Error("a surprise");
    };
    open();
    await turns();
    assert.match(server.answerTo(first)?.text ?? "", /"err_code":10077/);
    assert.match(server.answerTo(second)?.text ?? "", /"val":"2"/);
    await server.close();
  });
});

describe("ids of messages that a full disk has refused", () => {
  it("leave those before as they were, and do not end those that come later", async () => {
    const disk = new SimulatedDisk();
    const server = await SimulatedJetStream.start(disk);
    await server.create({ duplicate_window: 10e9 });
    await server.ask("s.1", "", { "Nats-Msg-Id": "a" });
    disk.before = (_, name) => (name === "write" ? "full" : undefined);
    assert.match((await server.ask("s.1", "", { "Nats-Msg-Id": "b" })).text, /10023/);
    disk.before = undefined;
    await server.clock.advance(5_000);
    const expected = { "Nats-Msg-Id": "b", "Nats-Expected-Last-Msg-Id": "a" };
    assert.deepEqual(await server.json("s.1", "", expected), { stream: "S", seq: 2 });
    await server.clock.advance(6_000);
    assert.equal((await server.json("s.1", "", { "Nats-Msg-Id": "b" })).duplicate, true);
    await server.close();
  });
});

describe("markers of subjects that have expired", () => {
  const config = {
    allow_rollup_hdrs: true,
    allow_msg_ttl: true,
    max_age: 60e9,
    subject_delete_marker_ttl: 60e9,
  };

  for (const [what, more, update] of [
    ["a stream is sealed", {}, { sealed: true }],
    ["a stream is full", { discard: "new", max_bytes: 75 }, undefined],
  ] as const) {
    it(`are left out when ${what}: the messages go all the same`, async () => {
      const server = await SimulatedJetStream.start(new SimulatedDisk(), new PatientClock());
      await server.create({ ...config, ...more });
      await server.ask("s.1", "one", { "Nats-TTL": "30s" });
      if (update !== undefined) {
        const body = { name: "S", subjects: ["s.>"], ...config, ...more, ...update };
        assert.equal((await server.json("$JS.API.STREAM.UPDATE.S", body)).error, undefined);
      }
      await server.clock.advance(70_000);
      assert.equal((await server.state()).messages, 0);
      await server.close();
    });
  }

  it("come once there is space for them", async () => {
    const disk = new SimulatedDisk();
    const server = await SimulatedJetStream.start(disk, new PatientClock());
    await server.create(config);
    await server.ask("s.1", "one");
    await server.ask("s.2", "two");
    await server.clock.advance(50_000);
    disk.before = (_, name) => (name === "write" ? "full" : undefined);
    const { calls } = disk;
    await server.clock.advance(30_000);
    assert.ok(disk.calls - calls < 30 * 20, "it is tried a second at a time");
    assert.deepEqual([await server.message(1), await server.message(2)], ["one", "two"]);
    disk.before = undefined;
    await server.clock.advance(2_000);
    const { messages, first_seq: first } = await server.state();
    assert.deepEqual([messages, first], [2, 3]);
    assert.deepEqual([await server.message(3), await server.message(4)], ["", ""]);
    await server.close();
  });
});

describe("fast ingest of a message that takes the place of many", () => {
  const { purge } = IndexedStore.prototype;
  afterEach(() => {
    IndexedStore.prototype.purge = purge;
  });

  async function rollUp(before: () => Promise<void>) {
    const server = await SimulatedJetStream.start(new SimulatedDisk());
    await server.create({ allow_batched: true, allow_rollup_hdrs: true });
    for (let i = 0; i < 1_100; i++) server.publish("s.a", "x");
    await turns();
    IndexedStore.prototype.purge = async function (request) {
      await before();
      return purge.call(this, request);
    };
    const link = new TestLink();
    server.server.inProcessConn().accept(link);
    link.send('CONNECT {"verbose":false,"headers":true}\r\nSUB f.> 1\r\n');
    link.look();
    const headers = "NATS/1.0\r\nNats-Rollup: sub\r\n\r\n";
    const { length } = headers;
    link.send(`HPUB s.a f.b.1.fail.1.2.$FI ${length} ${length + 3}\r\n${headers}all\r\n`);
    await turns();
    return { server, link };
  }

  it("is answered when they have gone", async () => {
    const { opened, open } = gate();
    const { server, link } = await rollUp(() => opened);
    assert.equal(link.look(), "");
    open();
    await turns();
    assert.match(link.look(), /\{"stream":"S","seq":1101,"batch":"b","count":1\}/);
    assert.equal((await server.state()).messages, 1);
    await server.close();
  });

  it("is told when they cannot go", async () => {
    const { server, link } = await rollUp(() => Promise.reject(new Error("no")));
    assert.match(link.look(), /\{"type":"err","seq":1,"error":\{"code":503,"err_code":10023/);
    assert.ok(server.logger.levels.some((line) => /^error: .*rollup/.test(line)));
    await server.close();
  });
});
