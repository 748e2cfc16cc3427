/** Batches over the life of a server: crashes between their beginning and their end, full disks, limits, time. What they answer is compared in test/peers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { picker } from "../../support/jetstream-script.ts";
import { SimulatedJetStream } from "../../support/jetstream-simulated.ts";
import { settle, TestLink } from "../../support/simulated.ts";
import { SimulatedDisk } from "../../support/simulated-disk.ts";

type Headers = Readonly<Record<string, string>>;

function headersOf(id: string, seq: number, commit = "", more: Headers = {}): Headers {
  const ending: Headers = commit === "" ? {} : { "Nats-Batch-Commit": commit };
  return { "Nats-Batch-Id": id, "Nats-Batch-Sequence": String(seq), ...ending, ...more };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** All that is stored, by sequence. */
async function contents(server: SimulatedJetStream): Promise<string[]> {
  const { first_seq, last_seq } = await server.state();
  const found: string[] = [];
  for (let seq = Math.max(1, first_seq); seq <= last_seq; seq++) {
    const payload = await server.message(seq);
    if (payload !== undefined) found.push(`${seq} ${payload}`);
  }
  return found;
}

const BEFORE = ["1 old a", "2 old b"];
const AFTER = ["2 old b", "3 one", "4 two", "5 three"];

/** A batch that rolls up, cut off at some call to the disk. Returns whether it came to its end. */
async function cutOff(cut: number, seed: number): Promise<boolean> {
  const disk = new SimulatedDisk();
  const server = await SimulatedJetStream.start(disk);
  await server.create({ allow_atomic: true, allow_rollup_hdrs: true });
  await server.ask("s.a", "old a");
  await server.ask("s.b", "old b");
  const calls = disk.calls;
  let halted = false;
  disk.before = (call) => {
    if (call === calls + cut) {
      halted = true;
      disk.halt();
    }
    return undefined;
  };
  server.publish("s.a", "one", headersOf("b", 1, "", { "Nats-Rollup": "sub", "Nats-Msg-Id": "x" }));
  server.publish("s.c", "two", headersOf("b", 2));
  const last = server.publish("s.c", "three", headersOf("b", 3, "1"));
  await turns();
  const answer = server.answerTo(last);
  const after = await SimulatedJetStream.start(disk.crash(picker(seed)), server.clock);
  const found = await contents(after);
  const where = `cut ${cut}, seed ${seed}`;
  if (answer !== undefined) {
    assert.deepEqual(JSON.parse(answer.text), { stream: "S", seq: 5, batch: "b", count: 3 }, where);
    assert.deepEqual(found, AFTER, where);
    const again = await after.json("s.a", "one", { "Nats-Msg-Id": "x" });
    assert.equal(again.duplicate, true, where);
  } else {
    // A crash may keep what was not acknowledged, whole; and then lose what it has removed.
    const whole = found.length > 2;
    const kept = found.filter((each) => each !== BEFORE[0]);
    assert.deepEqual(kept, whole ? AFTER : BEFORE.slice(1), where);
    if (!whole) assert.deepEqual(found, BEFORE, where);
  }
  await after.close();
  return !halted;
}

describe("atomic batches and crashes", () => {
  it("are there whole or not at all, wherever the power is cut", async () => {
    let cut = 1;
    for (let ended = false; !ended; cut++) {
      for (let seed = 1; seed <= 12; seed++) ended = await cutOff(cut, seed);
    }
    assert.ok(cut > 3, `the disk was called ${cut} times`);
  });

  it("are forgotten by a restart while they are open", async () => {
    const disk = new SimulatedDisk();
    const one = await SimulatedJetStream.start(disk);
    await one.create({ allow_atomic: true });
    assert.equal((await one.ask("s.a", "x", headersOf("b", 1))).text, "");
    await one.close();
    const two = await SimulatedJetStream.start(disk, one.clock);
    assert.equal((await two.json("s.a", "x", headersOf("b", 2, "1"))).error.err_code, 10176);
    assert.equal((await two.state()).messages, 0);
    await two.close();
  });

  it("come to nothing on a full disk, and leave what they would have replaced", async () => {
    const disk = new SimulatedDisk();
    const server = await SimulatedJetStream.start(disk);
    await server.create({ allow_atomic: true, allow_rollup_hdrs: true });
    await server.ask("s.a", "old a");
    await server.ask("s.b", "old b");
    const batch = async () => {
      await server.ask("s.a", "one", headersOf("b", 1, "", { "Nats-Rollup": "all", "Nats-Msg-Id": "x" }));
      return server.json("s.c", "two", headersOf("b", 2, "1"));
    };
    disk.before = (_, name) => (name === "write" ? "full" : undefined);
    assert.equal((await batch()).error.err_code, 10023);
    disk.before = undefined;
    await server.clock.advance(1_500);
    assert.deepEqual(await contents(server), BEFORE);
    assert.deepEqual(await batch(), { stream: "S", seq: 4, batch: "b", count: 2 });
    assert.deepEqual(await contents(server), ["3 one", "4 two"]);
    await server.close();
  });

  it("are read from disk for what they depend on, while others wait their turn", async () => {
    const disk = new SimulatedDisk();
    const one = await SimulatedJetStream.start(disk);
    await one.create({ allow_atomic: true, allow_msg_counter: true });
    await one.ask("s.a", "", { "Nats-Incr": "5" });
    await one.close();
    const two = await SimulatedJetStream.start(disk, one.clock);
    two.publish("s.a", "", headersOf("b", 1, "", { "Nats-Incr": "2" }));
    const last = two.publish("s.b", "", headersOf("b", 2, "1", { "Nats-Incr": "1" }));
    const alone = two.publish("s.a", "", { "Nats-Incr": "10" });
    await turns();
    assert.deepEqual(JSON.parse(two.answerTo(last)?.text ?? ""), {
      stream: "S",
      seq: 3,
      batch: "b",
      count: 2,
    });
    assert.deepEqual(JSON.parse(two.answerTo(alone)?.text ?? ""), { stream: "S", seq: 4, val: "17" });
    await two.close();
  });
});

describe("limits of batches", () => {
  const batch = { maxMsgs: 2, maxInflightPerStream: 2, maxInflightTotal: 3, timeout: 4_000 };
  const options = { jetstream: { storeDir: "data", limits: { batch } } };

  it("are those of the options", async () => {
    const server = await SimulatedJetStream.start(new SimulatedDisk(), undefined, options);
    await server.create({ allow_atomic: true });
    await server.create({ name: "T", subjects: ["t"], allow_atomic: true });
    const begin = async (subject: string, id: string) =>
      (await server.ask(subject, "x", headersOf(id, 1))).text;
    assert.equal(await begin("s.a", "one"), "");
    assert.equal(await begin("s.a", "two"), "");
    assert.match(await begin("s.a", "three"), /10210/);
    assert.equal(await begin("t", "one"), "");
    assert.match(await begin("t", "two"), /10210/, "in the whole server");
    await server.ask("s.a", "x", headersOf("one", 2));
    const tooMany = await server.json("s.a", "x", headersOf("one", 3, "1"));
    assert.equal(tooMany.error.description, "atomic publish batch is too large: 2");
    assert.equal(await begin("t", "two"), "", "what was given up makes room");
    await server.clock.advance(3_999);
    assert.equal((await server.ask("s.a", "x", headersOf("two", 2))).text, "");
    await server.clock.advance(3_999);
    assert.equal((await server.json("s.a", "", headersOf("two", 3, "eob"))).seq, 2);
    assert.equal((await server.json("t", "x", headersOf("one", 2, "1"))).error.err_code, 10176);
    await server.json("$JS.API.STREAM.DELETE.T");
    for (const id of ["a", "b"]) assert.equal(await begin("s.a", id), "", "and what was deleted");
    await server.close();
    assert.equal(server.clock.pending, 0, "no timer is left");
  });

  it("bound the memory that they take", async () => {
    const server = await SimulatedJetStream.start(new SimulatedDisk());
    await server.create({ allow_atomic: true });
    const megabyte = "x".repeat(1_000_000);
    let refused = 0;
    for (let i = 1; i <= 270 && refused === 0; i++) {
      if ((await server.ask("s.a", megabyte, headersOf("b", i))).text.includes("10210")) refused = i;
    }
    assert.ok(refused > 260, String(refused));
    assert.equal((await server.json("s.a", "x", headersOf("b", refused, "1"))).error.err_code, 10176);
    assert.equal((await server.json("s.a", "x", headersOf("c", 1, "1"))).seq, 1);
    await server.close();
  });
});

/** A client of fast ingest. */
class FastClient {
  readonly #link = new TestLink();

  constructor(server: SimulatedJetStream) {
    server.server.inProcessConn().accept(this.#link);
    this.#link.send('CONNECT {"verbose":false,"headers":true}\r\nSUB f.> 1\r\n');
    this.#link.look();
  }

  /** @param rest - `<id>.<flow>.<gap>.<seq>.<operation>` */
  publish(rest: string, payload: string): void {
    this.#link.send(`PUB s.a f.${rest}.$FI ${payload.length}\r\n${payload}\r\n`);
  }

  /** The payloads that have come since the last look. */
  async heard(): Promise<string[]> {
    await turns();
    await settle();
    return [...this.#link.look().matchAll(/^MSG .*\r\n(.*)\r\n/gm)].map(([, payload]) => payload);
  }
}

describe("fast ingest", () => {
  it("says of nothing that it is stored before it is on disk, and then of all at once", async () => {
    const disk = new SimulatedDisk();
    const server = await SimulatedJetStream.start(disk);
    await server.create({ allow_batched: true });
    const client = new FastClient(server);
    client.publish("b.2.fail.1.0", "1");
    for (let seq = 2; seq <= 7; seq++) client.publish(`b.2.fail.${seq}.1`, String(seq));
    assert.deepEqual(await client.heard(), [
      '{"type":"ack","seq":0,"msgs":2}',
      '{"type":"ack","seq":6,"msgs":2}',
    ]);
    client.publish("b.2.fail.8.1", "8");
    client.publish("b.2.fail.9.3", "");
    assert.deepEqual(await client.heard(), ['{"stream":"S","seq":8,"batch":"b","count":8}']);
    disk.before = () => {
      disk.halt();
      return undefined;
    };
    client.publish("c.1.fail.1.0", "9");
    client.publish("c.1.fail.2.2", "10");
    assert.deepEqual(await client.heard(), ['{"type":"ack","seq":0,"msgs":1}']);
  });

  it("ends before what a full disk has refused", async () => {
    const disk = new SimulatedDisk();
    const server = await SimulatedJetStream.start(disk);
    await server.create({ allow_batched: true });
    const client = new FastClient(server);
    client.publish("b.10.ok.1.0", "1");
    client.publish("b.10.ok.2.1", "2");
    await client.heard();
    disk.before = (_, name) => (name === "write" ? "full" : undefined);
    client.publish("b.10.ok.3.1", "3");
    client.publish("b.10.ok.4.1", "4");
    const error = '{"code":503,"err_code":10023,"description":"insufficient resources"}';
    assert.deepEqual(await client.heard(), [
      `{"type":"err","seq":3,"error":${error}}`,
      '{"stream":"S","seq":2,"batch":"b","count":2}',
    ]);
    disk.before = undefined;
    await server.clock.advance(1_500);
    client.publish("c.10.ok.1.2", "again");
    assert.deepEqual(await client.heard(), ['{"stream":"S","seq":3,"batch":"c","count":1}']);
    await server.close();
  });

  it("forgets who is silent, and has no timer for who is gone", async () => {
    const batch = { maxInflightPerStream: 1, timeout: 3_000 };
    const server = await SimulatedJetStream.start(new SimulatedDisk(), undefined, {
      jetstream: { storeDir: "data", limits: { batch } },
    });
    await server.create({ allow_batched: true });
    const client = new FastClient(server);
    client.publish("b.1.fail.1.0", "1");
    client.publish("c.1.fail.1.0", "1");
    assert.match((await client.heard())[1], /10211/);
    await server.clock.advance(2_999);
    client.publish("b.1.fail.2.1", "2");
    await server.clock.advance(2_999);
    assert.deepEqual(await client.heard(), ['{"type":"ack","seq":2,"msgs":1}']);
    await server.clock.advance(2);
    client.publish("b.1.fail.3.1", "3");
    assert.match((await client.heard())[0], /10208/);
    client.publish("c.1.fail.1.2", "1");
    assert.deepEqual(await client.heard(), ['{"stream":"S","seq":3,"batch":"c","count":1}']);
    await server.close();
    assert.equal(server.clock.pending, 0);
  });
});
