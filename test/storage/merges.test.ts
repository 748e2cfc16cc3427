import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamStore } from "../../src/storage/store.ts";
import { settle } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { openStream } from "./file-support.ts";

const SEGMENT = 4000;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

const segments = (disk: SimulatedDisk): string[] =>
  [...disk.files().keys()].filter((path) => path.endsWith(".log")).sort();

function seqs(store: StreamStore): number[] {
  const all: number[] = [];
  for (let seq = store.state.firstSeq; seq <= store.state.lastSeq; seq++) if (store.has(seq)) all.push(seq);
  return all;
}

/** Messages that stay, of which some are removed later on, and one that is replaced again and again. */
async function churn(store: StreamStore): Promise<void> {
  for (let i = 0; i < 60; i++) store.append(`keep.${i}`, undefined, bytes("k".repeat(300)), 1);
  await store.flush();
  for (let i = 0; i < 200; i++) {
    const before = store.subject("churn")?.lastSeq;
    const seq = store.append("churn", undefined, bytes(`${i} `.repeat(80)), 2);
    if (before !== undefined) store.remove(before, { because: seq });
    if (i < 60 && i % 3 !== 0) store.remove(1 + i);
    if (i % 3 === 0) await store.flush();
  }
  await store.flush();
  await settle();
}

test("segments with little left are written anew as one, and what they say was removed from others stays removed", async () => {
  const disk = new SimulatedDisk();
  const { storage, store } = await openStream(disk, SEGMENT);
  await churn(store);
  for (let i = 0; i < 20; i++) await settle();
  const live = seqs(store);
  assert.equal(live.length, 60 - 40 + 1);
  // Of about 40 segments those are left that hold these; what was replaced has left nothing but its removals.
  assert.ok(segments(disk).length <= 9, `${segments(disk).length} segments`);
  const generations = segments(disk).map((path) => Number.parseInt(path.split("-")[1], 16));
  // The first file of a stream has generation 1.
  assert.ok(generations[0] > 1, "the first segment was written anew");
  assert.ok(
    generations.some((each, i) => each > generations[i + 1]),
    "many were written as one",
  );
  // After a crash all of it is read from the records.
  const crashed = await openStream(disk.copy(), SEGMENT);
  assert.deepEqual(seqs(crashed.store), live);
  assert.equal(crashed.store.state.bytes, store.state.bytes);
  for (const seq of live) assert.deepEqual(await crashed.store.get(seq), await store.get(seq));
  await storage.close();
});

test("what is erased is in no file", async () => {
  const disk = new SimulatedDisk();
  const { storage, store } = await openStream(disk, SEGMENT);
  const secret = "a secret that nobody is to know";
  for (let i = 0; i < 20; i++) store.append("s", undefined, bytes(i === 7 ? secret : "open"), 1);
  await store.flush();
  assert.ok(store.remove(8, { erase: true }));
  await storage.close();
  for (const [path, content] of disk.files()) {
    assert.ok(!Buffer.from(content).toString("latin1").includes(secret), path);
  }
  const again = await openStream(disk.copy(), SEGMENT);
  assert.equal(again.store.state.messages, 19);
  assert.equal(again.store.state.lost, undefined);
});

test("a purged stream gives its files back, and goes on counting", async () => {
  const disk = new SimulatedDisk();
  const { storage, store } = await openStream(disk, SEGMENT);
  for (let i = 0; i < 100; i++) store.append("s", undefined, bytes("x".repeat(300)), 1);
  assert.equal(await store.purge({}), 100);
  for (let i = 0; i < 20; i++) await settle();
  assert.equal(segments(disk).length, 1);
  const crashed = await openStream(
    disk.crash(() => 1),
    SEGMENT,
  );
  assert.equal(crashed.store.state.messages, 0);
  assert.equal(crashed.store.append("s", undefined, bytes("x"), 1), 101);
  await storage.close();
});

test("the last file of a stream stays, as it says what sequences there were, though nothing is left in it", async () => {
  const disk = new SimulatedDisk();
  const first = await openStream(disk, SEGMENT);
  // The power goes when the second file is to be made: the first is complete, and there is no other.
  let crashed: SimulatedDisk | undefined;
  disk.before = (_call, name, path) => {
    if (name === "open" && path.includes("-00000002-")) crashed ??= disk.crash((options) => options - 1);
    return undefined;
  };
  while (crashed === undefined) {
    const seq = first.store.append("a", undefined, bytes("a".repeat(300)), 1);
    await first.store.flush();
    first.store.remove(seq);
    await first.store.flush();
  }
  const { storage, store } = await openStream(crashed, SEGMENT);
  const { lastSeq } = store.state;
  assert.ok(lastSeq > 5);
  assert.equal(store.state.messages, 0);
  await store.flush();
  for (let i = 0; i < 20; i++) await settle();
  // As a power cut would leave it.
  const again = await openStream(crashed.copy(), SEGMENT);
  assert.equal(again.store.state.lastSeq, lastSeq);
  await again.storage.close();
  // Once there is another, it goes.
  store.append("b", undefined, bytes("b"), 2);
  await store.flush();
  for (let i = 0; i < 20; i++) await settle();
  assert.equal(segments(crashed).length, 1);
  assert.equal(segments(crashed)[0].includes("-00000001-"), false);
  await storage.close();
});
