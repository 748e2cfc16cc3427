/** What happens to streams while their account begins, ends, or changes another stream: calls to the disk are held up at will. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServerOptions } from "../../../src/server/options/types.ts";
import { MemoryStore } from "../../../src/storage/memory-store.ts";
import { SimulatedJetStream } from "../../support/jetstream-simulated.ts";
import { settle, VirtualClock } from "../../support/simulated.ts";
import { SimulatedDisk } from "../../support/simulated-disk.ts";
import { snapshotSource, writeSnapshot } from "../../support/snapshots.ts";
import { until } from "../../support/waiting.ts";

/** Options by which the client is in an account that has JetStream, or has not. */
function account(jetstream: boolean): ServerOptions {
  const users = [{ user: "a", password: "a" }];
  return { accounts: { A: { jetstream, users } }, noAuthUser: "a" };
}

const ON = account(true);
const OFF = account(false);

async function start(disk = new SimulatedDisk(), clock = new VirtualClock()): Promise<SimulatedJetStream> {
  return SimulatedJetStream.start(disk, clock, ON);
}

/** Lets happen what needs no time, also where it takes turns of the event loop. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await settle();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Waits for an answer that may have come already. */
async function answered(js: SimulatedJetStream, number: number) {
  await turns();
  const answer = js.answerTo(number);
  assert.ok(answer, "there is an answer");
  return JSON.parse(answer.text || "{}");
}

/** Holds up the first call to the disk of a kind, and all that come later. */
class Hold {
  readonly #disk: SimulatedDisk;
  readonly reached: Promise<void>;
  #letGo: () => void = () => {};

  constructor(disk: SimulatedDisk, wanted: (name: string, path: string) => boolean) {
    this.#disk = disk;
    const released = new Promise<void>((resolve) => {
      this.#letGo = resolve;
    });
    this.reached = new Promise((resolve) => {
      let holds = false;
      disk.pause = (name, path) => {
        if (!holds && !wanted(name, path)) return undefined;
        holds = true;
        resolve();
        return released;
      };
    });
  }

  release(): void {
    this.#disk.pause = undefined;
    this.#letGo();
  }
}

/** The description of the stream is written. */
const describing =
  (stream: string) =>
  (name: string, path: string): boolean =>
    name === "write" && path.includes(`/streams/%${stream.charCodeAt(0).toString(16)}.`);

/** The account has begun to end, which has not come to its end: something is held up. */
async function isEnding(js: SimulatedJetStream, ended: Promise<unknown>): Promise<boolean> {
  // To get there takes time, as code is loaded on demand.
  let number = js.publish("$JS.API.INFO");
  await until(() => {
    const answer = js.answerTo(number);
    if (answer === undefined) return false;
    if (answer.headers !== "" || JSON.parse(answer.text).error !== undefined) return true;
    number = js.publish("$JS.API.INFO");
    return false;
  }, "the account begins to end");
  await turns();
  return Promise.race([ended.then(() => false), Promise.resolve(true)]);
}

const bytesOf = async (js: SimulatedJetStream) => {
  const { storage, reserved_storage: reserved, streams } = await js.json("$JS.API.INFO");
  return { storage, reserved, streams };
};

/** A consumer that is kept on disk. */
const durable = { stream_name: "S", config: { durable_name: "c", ack_policy: "explicit" } };

/** A snapshot of a stream "S" in chunks. */
async function snapshot(
  messages: number,
  size: number,
  payload = 100,
): Promise<{ config: object; chunks: Buffer[] }> {
  const store = new MemoryStore(new VirtualClock(), 7, { sync: "always", noteAge: 0 });
  for (let i = 0; i < messages; i++) {
    store.append("s.x", undefined, new TextEncoder().encode(`${i} `.repeat(payload / 5)), 1_000 + i);
  }
  const config = { name: "S", subjects: ["s.>"], storage: "file", retention: "limits", num_replicas: 1 };
  const bytes = await writeSnapshot(snapshotSource(store, config), "tar", size);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return { config, chunks };
}

describe("an account that begins", () => {
  it("is asked for nothing before its streams are there", async () => {
    const disk = new SimulatedDisk();
    const js = await start(disk);
    await js.create();
    for (const payload of ["1", "2", "3"]) await js.ask("s.a", payload);
    await js.reload(OFF);
    const hold = new Hold(disk, (name, path) => name === "unlink" && path.endsWith("/stream.index"));
    const reloaded = js.reload(ON);
    await hold.reached;
    // As clients do that make sure of their streams.
    const create = await js.json("$JS.API.STREAM.CREATE.S", { name: "S", subjects: ["s.>"] });
    assert.equal(create.error.err_code, 10039);
    hold.release();
    await reloaded;
    assert.equal((await js.state()).messages, 3);
    assert.equal(await js.message(3), "3");
    await js.create();
    assert.equal((await js.state()).messages, 3);
    await js.close();
    assert.equal(disk.opened, 0);
  });

  it("may end before: what was opened is closed, and nothing is lost", async () => {
    const disk = new SimulatedDisk();
    const js = await start(disk);
    await js.create();
    await js.create({ name: "T", subjects: ["t"] });
    await js.ask("s.a", "1");
    await js.reload(OFF);
    const hold = new Hold(disk, (name, path) => name === "unlink" && path.includes("/%53/stream.index"));
    const reloaded = js.reload(ON);
    await hold.reached;
    const closed = js.close();
    assert.equal(await isEnding(js, closed), true);
    hold.release();
    await closed;
    await assert.rejects(reloaded, { code: "RELOAD_FAILED", message: "the server is closed" });
    assert.equal(disk.opened, 0);
    const again = await start(disk, js.clock);
    assert.equal(await again.message(1), "1");
    assert.deepEqual((await again.json("$JS.API.STREAM.NAMES")).streams, ["S", "T"]);
    await again.close();
  });

  it("does not begin any more when the server has ended", async () => {
    const disk = new SimulatedDisk();
    const clock = new VirtualClock();
    const both = (noAuthUser: string, jetstream: boolean): ServerOptions => ({
      accounts: {
        A: { jetstream, users: [{ user: "a", password: "a" }] },
        B: { jetstream, users: [{ user: "b", password: "b" }] },
      },
      noAuthUser,
    });
    for (const user of ["a", "b"]) {
      const js = await SimulatedJetStream.start(disk, clock, both(user, true));
      await js.create();
      await js.ask("s.a", user);
      await js.close();
    }
    const js = await SimulatedJetStream.start(disk, clock, both("a", false));
    const hold = new Hold(disk, (name, path) => name === "unlink" && path.endsWith("/stream.index"));
    const reloaded = js.reload(both("a", true));
    await hold.reached;
    const closed = js.close();
    assert.equal(await isEnding(js, closed), true);
    hold.release();
    await closed;
    await assert.rejects(reloaded, { code: "RELOAD_FAILED" });
    assert.equal(disk.opened, 0);
    assert.ok(
      js.logger.levels.some((line) => line.startsWith("error: JetStream cannot be enabled for account 'B'")),
    );
    const again = await SimulatedJetStream.start(disk, clock, both("b", true));
    assert.equal(await again.message(1), "b");
    await again.close();
  });

  it("does without JetStream when its streams cannot be listed, and the reload says so", async () => {
    const disk = new SimulatedDisk();
    const js = await start(disk);
    await js.create();
    await js.reload(OFF);
    const { list } = disk;
    disk.list = async (directory) => {
      if (directory.endsWith("/streams")) throw new Error("the disk is gone");
      return list.call(disk, directory);
    };
    await js.reload(ON);
    assert.ok(
      js.logger.levels.includes("error: JetStream cannot be enabled for account 'A': the disk is gone"),
    );
    assert.equal((await js.json("$JS.API.INFO")).error.err_code, 10039);
    disk.list = list;
    await js.reload(ON);
    assert.equal((await js.state()).messages, 0);
    await js.close();
  });
});

it("a stream whose consumers cannot be opened holds nothing: no bytes, no promise, no file", async () => {
  const disk = new SimulatedDisk();
  const js = await start(disk);
  await js.create({ max_bytes: 10_000 });
  await js.ask("s.a", "1");
  const { error } = await js.json("$JS.API.CONSUMER.DURABLE.CREATE.S.c", durable);
  assert.equal(error, undefined);
  const { storage } = await bytesOf(js);
  await js.reload(OFF);
  assert.equal(disk.opened, 0);

  disk.before = (_, name, path) => (name === "syncDirectory" && path.endsWith("/c") ? "failed" : undefined);
  await js.reload(ON);
  assert.equal((await js.json("$JS.API.STREAM.INFO.S")).error.err_code, 10194);
  assert.deepEqual(await bytesOf(js), { storage: 0, reserved: 0, streams: 0 });
  assert.equal(disk.opened, 0);

  disk.before = undefined;
  await js.reload(OFF);
  await js.reload(ON);
  assert.deepEqual(await bytesOf(js), { storage, reserved: 10_000, streams: 1 });
  assert.equal(await js.message(1), "1");
  assert.equal((await js.json("$JS.API.CONSUMER.INFO.S.c")).num_pending, 1);
  await js.close();
});

describe("an account that ends", () => {
  it("waits for a stream that is being made", async () => {
    const disk = new SimulatedDisk();
    const js = await start(disk);
    const hold = new Hold(disk, describing("S"));
    const create = js.publish("$JS.API.STREAM.CREATE.S", '{"name":"S","subjects":["s.>"]}');
    const next = js.publish("$JS.API.CONSUMER.DURABLE.CREATE.S.c", JSON.stringify(durable));
    await hold.reached;
    const disabled = js.reload(OFF);
    assert.equal(await isEnding(js, disabled), true);
    hold.release();
    await disabled;
    // Who asked is told, also whose turn had not come.
    assert.equal((await answered(js, create)).error.err_code, 10008);
    assert.equal((await answered(js, next)).error.err_code, 10008);
    assert.match((await js.ask("s.a")).headers, /^NATS\/1.0 503\r\n/);
    assert.equal(disk.opened, 0);
    await js.reload(ON);
    await js.create();
    assert.equal(JSON.parse((await js.ask("s.a", "1")).text).seq, 1);
    await js.close();
    assert.equal(disk.opened, 0);
  });

  it("waits for a stream that is being changed", async () => {
    const disk = new SimulatedDisk();
    const js = await start(disk);
    await js.create();
    const hold = new Hold(disk, describing("S"));
    const update = js.publish("$JS.API.STREAM.UPDATE.S", '{"name":"S","subjects":["s.>","t"]}');
    await hold.reached;
    const closed = js.close();
    assert.equal(await isEnding(js, closed), true);
    hold.release();
    await closed;
    assert.deepEqual((await answered(js, update)).config?.subjects, ["s.>", "t"]);
    assert.equal(disk.opened, 0);
    const again = await start(disk, js.clock);
    assert.equal(JSON.parse((await again.ask("t")).text).seq, 1);
    await again.close();
  });

  it("gives up a restoration: its bytes are given back, its files closed, who waits is told", async () => {
    const disk = new SimulatedDisk();
    const js = await start(disk);
    const { config, chunks } = await snapshot(200, 32_768, 80_000);
    assert.ok(chunks.length > 2, "there are some chunks");
    const begin = async () =>
      (await js.json("$JS.API.STREAM.RESTORE.S", { config, state: {} })).deliver_subject;
    const first = await begin();
    assert.equal((await js.ask(first, chunks[0])).text, "");
    assert.ok((await bytesOf(js)).storage > 0, "it holds some bytes");
    const hold = new Hold(disk, (name, path) => name === "write" && path.includes("/%53/"));
    const sent = [...chunks.slice(1), ""].map((chunk) => js.publish(first, chunk));
    await hold.reached;
    await turns();
    const waiting = sent.filter((each) => js.answerTo(each) === undefined);
    assert.ok(waiting.length > 1, "one is being used, others wait");
    const disabled = js.reload(OFF);
    assert.equal(await isEnding(js, disabled), true);
    for (const each of waiting) {
      const { type, error } = await answered(js, each);
      assert.deepEqual([type, error?.err_code], ["io.nats.jetstream.api.v1.stream_create_response", 10008]);
    }
    hold.release();
    await disabled;
    assert.equal(disk.opened, 0);
    await js.reload(ON);
    assert.deepEqual(await bytesOf(js), { storage: 0, reserved: 0, streams: 0 });
    assert.equal((await js.json("$JS.API.STREAM.INFO.S")).error.err_code, 10059);
    const second = await begin();
    for (const chunk of chunks) assert.equal((await js.ask(second, chunk)).text, "");
    assert.equal((await js.json(second)).state.messages, 200);
    await js.close();
    assert.equal(disk.opened, 0);
  });

  it("waits for a restoration that is being completed", async () => {
    const disk = new SimulatedDisk();
    const js = await start(disk);
    const { config, chunks } = await snapshot(10, 131_072);
    const to = (await js.json("$JS.API.STREAM.RESTORE.S", { config, state: {} })).deliver_subject;
    for (const chunk of chunks) assert.equal((await js.ask(to, chunk)).text, "");
    const hold = new Hold(disk, describing("S"));
    const end = js.publish(to, "");
    await hold.reached;
    const disabled = js.reload(OFF);
    assert.equal(await isEnding(js, disabled), true);
    hold.release();
    await disabled;
    assert.equal((await answered(js, end)).error.err_code, 10008);
    assert.equal(disk.opened, 0);
    await js.reload(ON);
    assert.deepEqual(await bytesOf(js), { storage: 0, reserved: 0, streams: 0 });
    await js.close();
  });

  it("may end while a restoration begins", async () => {
    const disk = new SimulatedDisk();
    const js = await start(disk);
    const { config } = await snapshot(1, 131_072);
    const hold = new Hold(disk, (name, path) => name === "write" && path.includes("/restoring/"));
    const begin = js.publish("$JS.API.STREAM.RESTORE.S", JSON.stringify({ config, state: {} }));
    await hold.reached;
    const disabled = js.reload(OFF);
    assert.equal(await isEnding(js, disabled), true);
    hold.release();
    await disabled;
    assert.equal((await answered(js, begin)).error.err_code, 10008);
    assert.equal(disk.opened, 0);
    await js.reload(ON);
    await js.create();
    await js.close();
  });
});

describe("a stream that is being changed", () => {
  it("has its old and its new subjects, and the larger promise, until that is done", async () => {
    const disk = new SimulatedDisk();
    const js = await SimulatedJetStream.start(disk, new VirtualClock(), {
      ...ON,
      jetstream: { storeDir: "data", maxFileStore: 1_000 },
    });
    await js.create({ subjects: ["old"], max_bytes: 100 });
    const hold = new Hold(disk, describing("S"));
    const update = js.publish("$JS.API.STREAM.UPDATE.S", '{"name":"S","subjects":["new"],"max_bytes":600}');
    await hold.reached;
    const refused = async (config: object) => {
      const { error } = await js.json("$JS.API.STREAM.CREATE.T", { name: "T", subjects: ["t"], ...config });
      return error?.err_code;
    };
    assert.equal(await refused({ subjects: ["new"] }), 10065);
    assert.equal(await refused({ subjects: ["old"] }), 10065);
    assert.equal(await refused({ max_bytes: 500 }), 10047);
    hold.release();
    assert.deepEqual((await answered(js, update)).config?.subjects, ["new"]);
    assert.equal(await refused({ subjects: ["old"] }), undefined);
    await js.close();
  });

  it("has what it had when the change cannot be written", async () => {
    const disk = new SimulatedDisk();
    const js = await start(disk);
    await js.create({ subjects: ["old"] });
    disk.before = (_, name, path) => (describing("S")(name, path) ? "failed" : undefined);
    const update = await js.json("$JS.API.STREAM.UPDATE.S", { name: "S", subjects: ["old", "new"] });
    assert.equal(update.error.err_code, 10069);
    disk.before = undefined;
    await js.create({ name: "T", subjects: ["new"] });
    assert.deepEqual((await js.json("$JS.API.STREAM.INFO.S")).config.subjects, ["old"]);
    await js.close();
  });
});

it("a stream that is being restored is not made besides", async () => {
  const js = await start();
  const { config } = await snapshot(1, 131_072);
  await js.json("$JS.API.STREAM.RESTORE.S", { config, state: {} });
  const { error } = await js.json("$JS.API.STREAM.CREATE.S", config);
  assert.equal(error.err_code, 10058);
  await js.close();
});
