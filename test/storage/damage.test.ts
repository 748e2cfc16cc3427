import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredMessage, StoreOptions } from "../../src/storage/store.ts";
import { settle } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { BLOCK, COMPRESSED, DURABLE, openStorage, openStream } from "./file-support.ts";

const SEGMENT = 900;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const payloadOf = (seq: number): string => `payload ${seq} `.repeat(1 + (seq % 4));

/** A small store of several segments, with removals, some of which may have been merged, and that may have been closed in order; and what is in it. */
async function smallStore(
  closed: boolean,
  merged = false,
  options: StoreOptions = DURABLE,
): Promise<{ disk: SimulatedDisk; messages: Map<number, StoredMessage> }> {
  const disk = new SimulatedDisk();
  const { storage, store } = await openStream(disk, SEGMENT, options);
  for (let seq = 1; seq <= 18; seq++) {
    const headers = seq % 3 === 0 ? bytes("NATS/1.0\r\nA: b\r\n\r\n") : undefined;
    store.append(`s.${seq % 5}`, headers, bytes(payloadOf(seq)), 1000 + seq);
    if (seq % 6 === 0) store.remove(seq - 2);
    await store.flush();
  }
  if (merged) {
    for (const seq of [1, 2, 5, 7, 8, 9]) store.remove(seq);
    await store.flush();
    for (let i = 0; i < 10; i++) await settle();
    const first = [...disk.files().keys()].filter((path) => /\.(log|s2)$/.test(path)).sort()[0];
    assert.ok(!first.includes("-00000001-"), "the first segment was written anew");
  }
  if (options.compression === "s2") {
    for (let i = 0; i < 10; i++) await settle();
    const logs = [...disk.files().keys()].filter((path) => path.endsWith(".log"));
    assert.equal(logs.length, 1, "all is compressed but the last segment");
  }
  const messages = new Map<number, StoredMessage>();
  for (let seq = 1; seq <= 18; seq++) {
    const message = await store.get(seq);
    if (message !== undefined) messages.set(seq, message);
  }
  const before = disk.copy();
  if (!closed) return { disk: before, messages };
  await storage.close();
  return { disk: disk.copy(), messages };
}

/** Opens a damaged store and checks that whatever it serves is right, and whatever it does not is said to be lost. Returns how many that is. */
async function checkDamaged(
  disk: SimulatedDisk,
  messages: ReadonlyMap<number, StoredMessage>,
  revenants: boolean,
  options: StoreOptions = DURABLE,
): Promise<number> {
  const { storage, store } = await openStream(disk, SEGMENT, options);
  let lost = 0;
  for (let seq = 1; seq <= 18; seq++) {
    const expected = messages.get(seq);
    const found = await store.get(seq);
    if (found === undefined && expected !== undefined) {
      lost += 1;
      const told = store.state.lost?.ranges.some(([first, last]) => first <= seq && seq <= last);
      assert.ok(told, `the loss of ${seq} is told`);
    } else if (expected === undefined) {
      // The record of a removal may be what is damaged.
      assert.ok(found === undefined || revenants, `${seq} stays removed`);
    } else {
      assert.deepEqual(found, expected, `message ${seq}`);
    }
  }
  assert.equal(store.state.lastSeq, 18, "no number will be given out again");
  assert.equal(store.append("s.1", undefined, bytes("more"), 2000), 19);
  await storage.close();
  return lost;
}

for (const [how, closed, merged] of [
  ["after a clean stop", true, false],
  ["after a crash", false, false],
  ["after segments were merged", true, true],
] as const) {
  test(`a flipped bit at every byte of every file costs at most the record that it hits, ${how}`, async () => {
    const { disk, messages } = await smallStore(closed, merged);
    let flips = 0;
    let costly = 0;
    for (const [path, content] of disk.files()) {
      // The last commit of a crash is torn if anything in it is wrong: nothing tells damage from a write that did not come through.
      const inDoubt = !closed && path === [...disk.files().keys()].sort().at(-1);
      for (let at = 0; at < content.length; at++) {
        if (inDoubt && lastCommit(content).includes(at)) continue;
        const flipped = new Uint8Array(content);
        flipped[at] ^= 1 << (at % 8);
        const lost = await checkDamaged(disk.copy(path, flipped), messages, true).catch((error: unknown) => {
          throw new Error(`${path}, byte ${at}`, { cause: error });
        });
        assert.ok(lost <= 1, `${path}, byte ${at}: ${lost} messages are lost`);
        flips += 1;
        costly += lost;
      }
    }
    assert.ok(flips > 1000);
    assert.ok(costly > 0, "some flips hit messages");
  });
}

/** Where that stands which the last record does not know to have been on disk before it; after it come zeros. */
function lastCommit(content: Uint8Array): { includes(at: number): boolean } {
  const words = new Int32Array(content.slice().buffer);
  let durable = 0;
  let end = 0;
  while (end < content.length && words[end / 4 + 1] !== 0) {
    const subject = words[end / 4 + 1] >>> 16;
    const body = words[end / 4 + 2] + words[end / 4 + 3];
    durable = words[end / 4 + 10] * 8;
    end += 48 + Math.ceil(subject / 8) * 8 + Math.ceil(body / 8) * 8;
  }
  return { includes: (at) => durable <= at && at < end };
}

/** How many messages a block may have parts of. */
const MOST_IN_BLOCK = 6;

for (const [how, closed, merged] of [
  ["after a clean stop", true, false],
  ["after a crash", false, false],
  ["after segments were merged", true, true],
] as const) {
  test(`a flipped bit at every byte of a compressed file costs at most the block that it hits, ${how}`, async () => {
    const { disk, messages } = await smallStore(closed, merged, COMPRESSED);
    let costly = 0;
    let flips = 0;
    for (const [path, content] of disk.files()) {
      if (!path.endsWith(".s2")) continue;
      const table = new DataView(content.buffer).getUint32(content.length - 8, true) * 8;
      assert.ok(table > BLOCK / 2 && table < content.length - 32, "there are blocks, and a table of them");
      for (let at = 0; at < content.length; at++) {
        const flipped = new Uint8Array(content);
        flipped[at] ^= 1 << (at % 8);
        const damaged = disk.copy(path, flipped);
        const lost = await checkDamaged(damaged, messages, true, COMPRESSED).catch((error: unknown) => {
          throw new Error(`${path}, byte ${at}`, { cause: error });
        });
        assert.ok(lost <= (at < table ? MOST_IN_BLOCK : 0), `${path}, byte ${at}: ${lost} messages are lost`);
        costly += lost;
        flips += 1;
      }
    }
    assert.ok(flips >= 1000, `${flips} flips`);
    assert.ok(costly > 0, "some flips hit messages");
  });
}

test("a damaged block costs no more where the table of blocks is damaged too", async () => {
  const { disk, messages } = await smallStore(true, false, COMPRESSED);
  for (const [path, content] of disk.files()) {
    if (!path.endsWith(".s2")) continue;
    for (let at = 0; at < content.length - 8; at++) {
      const flipped = new Uint8Array(content);
      flipped[at] ^= 1 << (at % 8);
      flipped[content.length - 1 - (at % 8)] ^= 1;
      const lost = await checkDamaged(disk.copy(path, flipped), messages, true, COMPRESSED).catch(
        (error: unknown) => {
          throw new Error(`${path}, byte ${at}`, { cause: error });
        },
      );
      assert.ok(lost <= MOST_IN_BLOCK, `${path}, byte ${at}: ${lost} messages are lost`);
    }
  }
});

for (const [how, options] of [
  ["", DURABLE],
  [", compressed", COMPRESSED],
] as const) {
  test(`every truncation of every file after a clean stop${how}: what is served is right, what is gone is told`, async () => {
    const { disk, messages } = await smallStore(true, false, options);
    for (const [path, content] of disk.files()) {
      for (let size = 0; size < content.length; size += 1) {
        const cut = disk.copy(path, content.slice(0, size));
        await checkDamaged(cut, messages, true, options).catch((error: unknown) => {
          throw new Error(`${path}, cut to ${size}`, { cause: error });
        });
      }
    }
  });
}

test("a damaged document is read from its other file, and the damaged one is set aside and told of", async () => {
  const disk = new SimulatedDisk();
  const storage = await openStorage(disk);
  await storage.writeDocument(["streams", "S"], bytes("the configuration"));
  await storage.close();
  for (const [path, content] of disk.files()) {
    for (let at = 0; at < content.length; at++) {
      const flipped = new Uint8Array(content);
      flipped[at] ^= 4;
      const damaged = disk.copy(path, flipped);
      const again = await openStorage(damaged);
      assert.deepEqual(await again.readDocument(["streams", "S"]), bytes("the configuration"));
      assert.equal(again.damaged.length, 1);
      assert.deepEqual(await again.listDocuments(["streams"]), ["S"]);
      assert.ok([...damaged.files().keys()].some((name) => name.includes(".damaged-1")));
      await again.close();
    }
  }
});

test("a document of which both files are damaged is still listed, and both are kept", async () => {
  const disk = new SimulatedDisk();
  const storage = await openStorage(disk);
  await storage.writeDocument(["streams", "S"], bytes("the configuration"));
  await storage.close();
  let damaged = disk;
  for (const path of disk.files().keys()) damaged = damaged.copy(path, new Uint8Array(5));
  const again = await openStorage(damaged);
  assert.equal(await again.readDocument(["streams", "S"]), undefined);
  assert.equal(again.damaged.length, 2);
  assert.deepEqual(await again.listDocuments(["streams"]), ["S"]);
});
