import assert from "node:assert/strict";
import { test } from "node:test";
import type { DiskErrorKind } from "../../src/seams/disk.ts";
import { StorageError } from "../../src/storage/errors.ts";
import type { StreamStore } from "../../src/storage/store.ts";
import { settle, VirtualClock } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { COMPRESSED, DURABLE, ENCRYPTED, type KeptOptions, openStorage, openStream } from "./file-support.ts";

const SEGMENT = 900;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** What a user of the store was told. */
interface Told {
  synced: number;
  readonly payloads: Map<number, string>;
  readonly refusals: StorageError[];
}

/** Appends and removes for a while, as a stream with one message a subject would; what is refused is refused. */
async function work(store: StreamStore, told: Told): Promise<void> {
  store.listener = {
    synced: (seq) => {
      told.synced = seq;
    },
    refused: (seq, error) => {
      told.refusals.push(error);
      for (const each of [...told.payloads.keys()]) if (each >= seq) told.payloads.delete(each);
    },
    lost: () => assert.fail("nothing is lost"),
  };
  for (let i = 0; i < 12; i++) {
    const payload = `${i} `.repeat(20);
    try {
      const before = store.subject(`s.${i % 3}`);
      const seq = store.append(`s.${i % 3}`, undefined, bytes(payload), 1000 + i);
      told.payloads.set(seq, payload);
      if (before !== undefined) store.remove(before.lastSeq, { because: seq });
    } catch (error) {
      assert.ok(error instanceof StorageError);
      told.refusals.push(error);
    }
    if (i % 3 === 2) await store.flush().catch((error: unknown) => assert.ok(error instanceof StorageError));
    else await settle();
  }
}

/** The last message on each subject that was acknowledged is there, and all that is there was appended. */
async function checkActual(store: StreamStore, told: Told): Promise<void> {
  const last = new Map<string, number>();
  for (const [seq, payload] of told.payloads) {
    if (seq <= told.synced) last.set(`s.${Number.parseInt(payload, 10) % 3}`, seq);
  }
  for (const [subject, seq] of last) {
    const state = store.subject(subject);
    assert.ok(state !== undefined && state.lastSeq >= seq, `${subject} has its last acknowledged message`);
    const message = await store.get(seq);
    if (message !== undefined) assert.equal(Buffer.from(message.payload).toString(), told.payloads.get(seq));
    else assert.ok(state.lastSeq > seq);
  }
  assert.equal(store.state.lost, undefined);
}

async function run(
  kind: DiskErrorKind,
  options: KeptOptions,
  failing: (call: number) => boolean,
): Promise<number> {
  const disk = new SimulatedDisk();
  const clock = new VirtualClock();
  const storage = await openStorage(disk, SEGMENT, clock, options.encryption);
  const store = await storage.openStream(["S"], options);
  const opened = disk.calls;
  disk.before = (call) => (failing(call - opened) ? kind : undefined);
  const told: Told = { synced: 0, payloads: new Map(), refusals: [] };
  await work(store, told);
  await checkActual(store, told);
  const calls = disk.calls - opened;
  // A refusal ends with a cut of the file, which may fail as well.
  await settle();
  let stopped = store.refusing?.code === "stopped";
  if (stopped) {
    assert.throws(() => store.append("s.0", undefined, bytes("x"), 1), { code: "stopped" });
    await assert.rejects(store.flush(), { code: "stopped" });
  } else {
    // There is space again.
    disk.before = undefined;
    await clock.advance(2000);
    assert.equal(store.refusing, undefined);
    const seq = store.append("s.0", undefined, bytes("0 again"), 5000);
    told.payloads.set(seq, "0 again");
    try {
      await store.flush();
      assert.equal(told.synced, seq);
    } catch (error) {
      // What failed was making room, which nobody was waiting for.
      assert.ok(error instanceof StorageError && error.code === "stopped", String(error));
      stopped = true;
      told.payloads.delete(seq);
    }
    await checkActual(store, told);
  }
  const { lastSeq, messages } = store.state;
  disk.before = undefined;
  const crashed = disk.crash(() => 0);
  await storage.close();
  // What was acknowledged is there after a power cut too, and after a clean stop.
  for (const after of [crashed, disk.copy()]) {
    const again = await openStorage(after, SEGMENT, undefined, options.encryption);
    const reopened = await again.openStream(["S"], options);
    await checkActual(reopened, told);
    if (!stopped) {
      assert.equal(reopened.state.lastSeq, lastSeq);
      assert.equal(reopened.state.messages, messages);
    }
    await again.close();
  }
  return calls;
}

for (const [how, options] of [
  ["", DURABLE],
  [", compressed", COMPRESSED],
  [", encrypted", ENCRYPTED],
] as const) {
  const calls = await run("failed", options, () => false);

  for (const kind of ["failed", "full"] as const) {
    test(`a disk call that fails (${kind}${how}), each in turn: nothing acknowledged is lost, nothing is acknowledged that is not there`, async () => {
      for (let failing = 1; failing <= calls; failing++) {
        await run(kind, options, (call) => call === failing).catch((error: unknown) => {
          throw new Error(`call ${failing}`, { cause: error });
        });
      }
    });

    test(`the disk fails from some call on (${kind}${how}): the same`, async () => {
      for (let failing = 1; failing <= calls; failing++) {
        await run(kind, options, (call) => call >= failing).catch((error: unknown) => {
          throw new Error(`from call ${failing} on`, { cause: error });
        });
      }
    });
  }
}

test("a failed sync stops the store, which goes on to answer reads", async () => {
  const disk = new SimulatedDisk();
  const storage = await openStorage(disk);
  const store = await storage.openStream(["S"], DURABLE);
  store.append("a", undefined, bytes("one"), 1);
  await store.flush();
  disk.before = (_call, name) => (name === "sync" ? "failed" : undefined);
  const refused: number[] = [];
  store.listener = { synced: () => assert.fail(), refused: (seq) => refused.push(seq), lost: () => {} };
  store.append("a", undefined, bytes("two"), 2);
  await assert.rejects(store.flush(), { name: "StorageError", code: "stopped" });
  assert.deepEqual(refused, [2]);
  assert.equal(store.state.lastSeq, 1);
  assert.equal(store.refusing?.code, "stopped");
  assert.throws(() => store.append("a", undefined, bytes("three"), 3), { code: "stopped" });
  assert.equal(Buffer.from((await store.get(1))!.payload).toString(), "one");
  await storage.close();
});

test("a full disk refuses messages, keeps those that were to make room for them, and takes messages again when there is space", async () => {
  const disk = new SimulatedDisk();
  const clock = new VirtualClock();
  const storage = await openStorage(disk, undefined, clock);
  const store = await storage.openStream(["S"], DURABLE);
  store.append("key", undefined, bytes("value"), 1);
  await store.flush();
  disk.before = (_call, name) => (name === "write" ? "full" : undefined);
  const seq = store.append("key", undefined, bytes("another"), 2);
  store.remove(1, { because: seq });
  assert.equal(store.has(1), false);
  await assert.rejects(store.flush(), { code: "full" });
  assert.equal(store.has(1), true);
  assert.equal(store.subject("key")?.lastSeq, 1);
  assert.throws(() => store.append("key", undefined, bytes("x"), 3), { code: "full" });
  disk.before = undefined;
  await clock.advance(1000);
  assert.equal(store.append("key", undefined, bytes("another"), 4), 2);
  await store.flush();
  await storage.close();
});

test("a file that was begun on a full disk does not outlive what is taken back of the one before it", async () => {
  const disk = new SimulatedDisk();
  const { store } = await openStream(disk, 512);
  store.append("s", undefined, bytes("first"), 1);
  await store.flush();
  const first = [...disk.files().keys()].find((path) => path.endsWith(".log"));
  let full = false;
  disk.before = (_call, name, path) => {
    if (name === "write" && path.endsWith(".log") && path !== first) {
      full = true;
      return "full";
    }
    return full && name === "sync" ? "failed" : undefined;
  };
  for (let i = 0; i < 8; i++) store.append("s", undefined, bytes(`more ${i}`), 2);
  await assert.rejects(store.flush(), { code: "stopped" });
  assert.ok(full, "the commit came to another file");
  disk.before = undefined;
  for (let seed = 1; seed <= 200; seed++) {
    let state = Math.imul(seed, 0x9e3779b1);
    const after = disk.crash((options) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * options);
    });
    const opened = await openStream(after, 512);
    assert.equal(opened.store.state.lost, undefined, `crash ${seed}`);
    await opened.storage.close();
  }
});
