/** Mirrors and sources over the life of a server: whatever happens, nothing is lost on the way, and nothing comes twice. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { picker } from "../../support/jetstream-script.ts";
import { SimulatedJetStream } from "../../support/jetstream-simulated.ts";
import { VirtualClock } from "../../support/simulated.ts";
import { SimulatedDisk } from "../../support/simulated-disk.ts";

const API = "$JS.API.STREAM";

/** Lets what needs no time happen, timers of the platform too. */
async function breathe(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function stateOf(server: SimulatedJetStream, name: string) {
  return (await server.json(`${API}.INFO.${name}`)).state;
}

/** Waits until a stream is as far as it is to be. */
async function reach(server: SimulatedJetStream, name: string, lastSeq: number, what: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    if ((await stateOf(server, name)).last_seq >= lastSeq) break;
    await server.clock.advance(500);
    await breathe(3);
  }
  assert.equal((await stateOf(server, name)).last_seq, lastSeq, what);
}

async function messageOf(server: SimulatedJetStream, name: string, seq: number) {
  const { message } = await server.json(`${API}.MSG.GET.${name}`, { seq });
  return message === undefined ? undefined : `${message.subject} ${atob(message.data ?? "")} ${message.time}`;
}

/** The copies that there are of "S"; what each removes of what it has stored. */
const COPIES: Readonly<Record<string, Readonly<Record<string, readonly object[]>>>> = {
  limits: {
    A: [{ sources: [{ name: "S" }] }],
    B: [{ max_msgs: 2, sources: [{ name: "S" }] }],
    C: [
      {
        sources: [
          { name: "S", filter_subject: "s.0" },
          { name: "S", filter_subject: "s.1" },
        ],
      },
    ],
    M: [{ mirror: { name: "S" } }],
    N: [{ max_msgs: 2, mirror: { name: "S" } }],
  },
  workqueue: { A: [{ max_msgs: 3, sources: [{ name: "S" }] }] },
  interest: { A: [{ sources: [{ name: "S" }] }], B: [{ max_msgs: 1, sources: [{ name: "S" }] }] },
};

/** A server is killed again and again at some call to its disk, while messages come and copies are purged. */
async function crash(seed: number, retention: string): Promise<void> {
  const pick = picker(seed);
  const copies = COPIES[retention];
  let disk = new SimulatedDisk();
  const clock = new VirtualClock();
  const first = await SimulatedJetStream.start(disk, clock);
  await first.create({ retention });
  for (const [name, [config]] of Object.entries(copies)) {
    await first.create({ name, subjects: undefined, ...config });
  }
  await clock.advance(200);
  await breathe(5);
  if (retention === "interest") assert.equal((await first.state()).consumer_count, 2);
  await first.close();
  for (let round = 0; round < 4; round++) {
    const server = await SimulatedJetStream.start(disk, clock);
    const current = disk;
    const cut = current.calls + 1 + pick(40);
    current.before = (call) => {
      if (call === cut) current.halt();
      return undefined;
    };
    for (let i = 0; i < 8; i++) {
      for (let j = pick(4); j > 0; j--)
        server.publish(`s.${pick(2)}`, `${round} ${i} ${"x".repeat(pick(300))}`);
      const purged = Object.keys(copies)[pick(Object.keys(copies).length)];
      if (pick(6) === 0) server.publish(`${API}.PURGE.${purged}`, "");
      await breathe(1 + pick(3));
      if (pick(3) === 0) await clock.advance(pick(1_500));
    }
    current.halt();
    disk = current.crash(pick);
  }
  const server = await SimulatedJetStream.start(disk, clock);
  const title = `seed ${seed}, ${retention}`;
  const { last_seq: last } = await server.state();
  for (const name of Object.keys(copies)) {
    await reach(server, name, last, `${title}: ${name} had every message once`);
  }
  if (retention === "limits") {
    for (const name of ["M", "N"]) {
      const { first_seq } = await stateOf(server, name);
      for (let seq = Math.max(1, first_seq); seq <= last; seq++) {
        const found = await messageOf(server, name, seq);
        if (found !== undefined)
          assert.equal(found, await messageOf(server, "S", seq), `${title}: ${name} ${seq}`);
      }
    }
  } else {
    await clock.advance(5_000);
    await breathe(5);
    assert.equal((await server.state()).messages, 0, `${title}: what the copies have is acknowledged`);
  }
  await server.close();
}

describe("mirrors and sources and crashes", () => {
  for (const retention of Object.keys(COPIES)) {
    it(`every message comes once, of an origin with retention ${retention}`, async () => {
      for (let seed = 1; seed <= 40; seed++) await crash(seed, retention);
    });
  }
});

describe("mirrors and sources and restarts", () => {
  it("go on where they were when all of their messages were purged, and everything was closed", async () => {
    const disk = new SimulatedDisk();
    let server = await SimulatedJetStream.start(disk);
    await server.create();
    await server.create({ name: "A", subjects: undefined, sources: [{ name: "S" }] });
    await server.create({ name: "M", subjects: undefined, mirror: { name: "S" } });
    for (let i = 0; i < 5; i++) await server.ask("s.1", `${i}`);
    await reach(server, "A", 5, "A has all");
    await reach(server, "M", 5, "M has all");
    await server.json(`${API}.PURGE.A`);
    await server.json(`${API}.PURGE.M`);
    await server.close();
    server = await SimulatedJetStream.start(disk, server.clock);
    await server.ask("s.1", "more");
    await reach(server, "A", 6, "nothing came twice");
    await reach(server, "M", 6, "nothing came twice");
    assert.equal((await stateOf(server, "A")).messages, 1);
    assert.equal((await stateOf(server, "M")).messages, 1);
    await server.close();
  });

  it("go on after a crash where they were when the message was deleted that alone said so", async () => {
    const disk = new SimulatedDisk();
    const before = await SimulatedJetStream.start(disk);
    await before.create();
    await before.create({ name: "A", subjects: undefined, sources: [{ name: "S" }] });
    for (let i = 0; i < 5; i++) await before.ask("s.1", `${i}`);
    await reach(before, "A", 5, "A has all");
    assert.equal((await before.json(`${API}.MSG.DELETE.A`, { seq: 5 })).success, true);
    disk.halt();
    const server = await SimulatedJetStream.start(disk.crash(picker(1)), before.clock);
    await server.ask("s.1", "more");
    await reach(server, "A", 6, "nothing came twice");
    await server.close();
  });

  it("take a stream that was deleted and made again from its beginning", async () => {
    const server = await SimulatedJetStream.start(new SimulatedDisk());
    await server.create();
    await server.create({ name: "A", subjects: undefined, sources: [{ name: "S" }] });
    for (let i = 0; i < 5; i++) await server.ask("s.1", `${i}`);
    await reach(server, "A", 5, "A has all");
    await server.json(`${API}.DELETE.S`);
    await server.clock.advance(20_000);
    await breathe(3);
    const [{ error }] = (await server.json(`${API}.INFO.A`)).sources;
    assert.equal(error.err_code, 10059);
    await server.create();
    for (let i = 0; i < 3; i++) await server.ask("s.1", `again ${i}`);
    await reach(server, "A", 8, "the new ones, too");
    assert.equal((await server.json(`${API}.INFO.A`)).sources[0].error, undefined);
    await server.close();
  });

  it("wait while the disk is full, and lose nothing", async () => {
    const disk = new SimulatedDisk();
    const server = await SimulatedJetStream.start(disk);
    await server.create({ storage: "memory" });
    await server.create({ name: "A", subjects: undefined, sources: [{ name: "S" }] });
    await server.create({ name: "M", subjects: undefined, mirror: { name: "S" } });
    await server.ask("s.1", "0");
    await reach(server, "A", 1, "A has one");
    await reach(server, "M", 1, "M has one");
    disk.before = (_, name) => (name === "write" ? "full" : undefined);
    for (let i = 1; i < 10; i++) await server.ask("s.1", `${i}`);
    await server.clock.advance(3_000);
    await breathe(3);
    assert.equal((await stateOf(server, "A")).last_seq, 1);
    disk.before = undefined;
    await reach(server, "A", 10, "A has all");
    await reach(server, "M", 10, "M has all");
    await server.close();
  });
});
