import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredMessage, StoreOptions, StreamStore } from "../../src/storage/store.ts";
import { settle, VirtualClock } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { COMPRESSED, DURABLE, openStorage, openStream } from "./file-support.ts";

const SEGMENT = 4000;
const MESSAGES = 100;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const payloadOf = (seq: number): string => `{"number":${seq},"text":"much of it is the same"}`.repeat(3);

const files = (disk: SimulatedDisk, kind: string): string[] =>
  [...disk.files().keys()].filter((path) => path.endsWith(kind)).sort();

async function settled(turns = 60): Promise<void> {
  for (let i = 0; i < turns; i++) await settle();
}

/** A stream of some segments. */
async function filled(
  disk: SimulatedDisk,
  options: StoreOptions,
): Promise<Awaited<ReturnType<typeof openStream>>> {
  const opened = await openStream(disk, SEGMENT, options);
  for (let seq = 1; seq <= MESSAGES; seq++) {
    opened.store.append(`s.${seq % 3}`, undefined, bytes(payloadOf(seq)), seq);
    if (seq % 4 === 0) await opened.store.flush();
  }
  await settled();
  return opened;
}

async function checkAll(store: StreamStore, gone: readonly number[] = []): Promise<void> {
  for (let seq = 1; seq <= MESSAGES; seq++) {
    const message = await store.get(seq);
    if (gone.includes(seq)) assert.equal(message, undefined);
    else assert.equal(Buffer.from(message!.payload).toString(), payloadOf(seq));
  }
  assert.equal(store.state.lost, undefined);
}

test("sealed segments are compressed, and read as before, also after a stop and after a crash", async () => {
  const disk = new SimulatedDisk();
  const { storage, store } = await filled(disk, COMPRESSED);
  assert.equal(files(disk, ".log").length, 1, "the last segment is as it was written");
  const sizes = files(disk, ".s2").map((path) => disk.files().get(path)!.length);
  assert.ok(sizes.length > 3);
  for (const size of sizes) assert.ok(size < SEGMENT / 2, `${size} bytes`);
  await checkAll(store);
  const plain = await filled(new SimulatedDisk(), DURABLE);
  assert.equal(store.state.bytes, plain.store.state.bytes, "messages count as they did");
  const crashed = await openStream(
    disk.crash(() => 1),
    SEGMENT,
    COMPRESSED,
  );
  await checkAll(crashed.store);
  await storage.close();
  assert.equal(disk.opened, 0, "all files are closed");
  const stopped = disk.copy();
  assert.equal(files(stopped, ".index").length, 1);
  const again = await openStream(stopped, SEGMENT, COMPRESSED);
  await checkAll(again.store);
  assert.equal(again.store.state.bytes, store.state.bytes);
});

test("what there is already is compressed when a stream asks for it, and stays so when it does not any more", async () => {
  const disk = new SimulatedDisk();
  const { store } = await filled(disk, DURABLE);
  assert.equal(files(disk, ".s2").length, 0);
  store.configure(COMPRESSED);
  await settled();
  assert.equal(files(disk, ".log").length, 1);
  const compressed = files(disk, ".s2");
  store.configure(DURABLE);
  for (let i = 0; i < 40; i++) store.append("more", undefined, bytes(payloadOf(1)), 1);
  await store.flush();
  await settled();
  assert.deepEqual(files(disk, ".s2"), compressed);
  assert.ok(files(disk, ".log").length > 2);
  await checkAll(store);
});

/** A disk as a crash leaves it that comes between the two files of a segment. */
async function withBoth(): Promise<{ disk: SimulatedDisk; log: string; compressed: string }> {
  const disk = new SimulatedDisk();
  await filled(disk, DURABLE);
  const [log] = files(disk, ".log");
  const plain = disk.files().get(log)!;
  const { storage } = await openStream(disk.copy(), SEGMENT, COMPRESSED);
  await storage.close();
  const other = new SimulatedDisk();
  await filled(other, COMPRESSED);
  const [compressed] = files(other, ".s2");
  assert.equal(log.replace(".log", ".s2"), compressed);
  const file = await other.open(log, true);
  await file.write(plain, 0);
  return { disk: other.copy(), log, compressed };
}

test("of the two files of a segment the compressed one counts, if it is whole", async () => {
  const { disk, log, compressed } = await withBoth();
  const whole = disk.copy();
  await checkAll((await openStream(whole, SEGMENT, DURABLE)).store);
  assert.ok(!whole.files().has(log) && whole.files().has(compressed));
  const content = disk.files().get(compressed)!;
  // The table is not what counts.
  const table = new DataView(content.buffer).getUint32(content.length - 8, true) * 8;
  for (let at = 0; at < table; at += 7) {
    const flipped = content.slice();
    flipped[at] ^= 16;
    const damaged = disk.copy(compressed, flipped);
    await checkAll((await openStream(damaged, SEGMENT, DURABLE)).store);
    assert.ok(damaged.files().has(log) && !damaged.files().has(compressed));
  }
  const cut = disk.copy(compressed, content.slice(0, 10));
  await checkAll((await openStream(cut, SEGMENT, DURABLE)).store);
  assert.ok(cut.files().has(log) && !cut.files().has(compressed));
});

test("what is erased is in no file, nor in the one that another has taken the place of", async () => {
  const disk = new SimulatedDisk();
  const { storage, store } = await openStream(disk, SEGMENT, COMPRESSED);
  const secrets = ["8f14e45fceea167a5a36dedd4bea2543", "c9f0f895fb98ab9159f51fd0297e236d"];
  for (let seq = 1; seq <= MESSAGES; seq++) {
    const payload = seq === 10 ? secrets[0] : seq === 13 ? secrets[1].repeat(20) : payloadOf(seq);
    store.append("s", undefined, bytes(payload), seq);
    if (seq % 10 === 0) await store.flush();
  }
  await settled();
  const holding = (): string[] =>
    [...disk.files()]
      .filter(([, content]) => secrets.some((each) => Buffer.from(content).includes(each)))
      .map(([path]) => path);
  const [path, ...others] = holding();
  assert.deepEqual([path.endsWith(".s2"), others], [true, []]);
  const former = await disk.open(path, false);
  assert.ok(store.remove(10, { erase: true }));
  assert.ok(store.remove(13, { erase: true }));
  await store.flush();
  await settled();
  assert.deepEqual(holding(), []);
  assert.ok(disk.files().has(path), "it is compressed as before");
  const left = new Uint8Array(await former.size());
  await former.read(left, 0);
  for (const secret of secrets)
    assert.ok(!Buffer.from(left).includes(secret), "the file before was overwritten");
  const crashed = await openStream(
    disk.crash(() => 0),
    SEGMENT,
    COMPRESSED,
  );
  for (const each of [store, crashed.store]) {
    assert.equal(each.state.messages, MESSAGES - 2);
    assert.equal(each.state.lost, undefined);
    for (const seq of [9, 11, 12, 14]) {
      assert.equal(Buffer.from((await each.get(seq))!.payload).toString(), payloadOf(seq));
    }
  }
  await storage.close();
  await former.close();
  assert.equal(disk.opened, 0, "all files are closed");
});

test("what is to be erased just when its segment is compressed or merged is erased", async () => {
  for (let turns = 0; turns < 60; turns++) {
    const disk = new SimulatedDisk();
    const { storage, store } = await openStream(disk, SEGMENT, COMPRESSED);
    const secret = "8f14e45fceea167a5a36dedd4bea2543";
    for (let seq = 1; seq <= 50; seq++) {
      store.append("s", undefined, bytes(seq === 8 ? secret : payloadOf(seq)), seq);
      // The first segment is merged, later on.
      if (seq > 15 && seq < 28) store.remove(seq - 15 === 8 ? 1 : seq - 15);
    }
    const flushed = store.flush();
    for (let i = 0; i < turns * 4; i++) await Promise.resolve();
    store.remove(8, { erase: true });
    await flushed;
    await store.flush();
    await settled();
    await storage.close();
    for (const [path, content] of disk.files()) {
      assert.ok(!Buffer.from(content).includes(secret), `${path}, erased after ${turns}`);
    }
  }
});

test("compressed segments with little left are merged, and what comes of it is compressed", async () => {
  const disk = new SimulatedDisk();
  const { store } = await filled(disk, COMPRESSED);
  const before = files(disk, ".s2");
  const gone: number[] = [];
  for (let seq = 1; seq <= MESSAGES - 20; seq++) {
    if (seq % 5 === 0) continue;
    store.remove(seq);
    gone.push(seq);
  }
  await store.flush();
  await settled(200);
  const after = files(disk, ".s2");
  assert.ok(after.length < before.length, `${after.length} of ${before.length} are left`);
  assert.ok(!before.includes(after[0]), "the first was written anew");
  assert.equal(files(disk, ".log").length, 1);
  await checkAll(store, gone);
  const crashed = await openStream(
    disk.crash(() => 0),
    SEGMENT,
    COMPRESSED,
  );
  await checkAll(crashed.store, gone);
});

test("messages are read while the files change that they are in", async () => {
  const disk = new SimulatedDisk();
  const { storage } = await filled(disk, DURABLE);
  await storage.close();
  const all = [...Array(MESSAGES - 1).keys()].map((i) => i + 2);
  for (let turns = 0; turns < 300; turns += 2) {
    const { store: opened } = await openStream(disk.copy(), SEGMENT, COMPRESSED);
    opened.configure(COMPRESSED);
    opened.remove(1, { erase: true });
    for (let i = 0; i < turns; i++) await Promise.resolve();
    const read = await Promise.all(all.map((seq) => opened.get(seq)));
    for (const message of read as StoredMessage[]) {
      assert.equal(Buffer.from(message.payload).toString(), payloadOf(message.seq));
    }
  }
});

for (const [kind, again] of [
  ["full", true],
  ["failed", false],
] as const) {
  test(`what cannot be compressed as the disk says "${kind}" stays as it is, and the store goes on`, async () => {
    const disk = new SimulatedDisk();
    const clock = new VirtualClock();
    const storage = await openStorage(disk, SEGMENT, clock);
    const store = await storage.openStream(["streams", "S"], COMPRESSED);
    let failures = 0;
    disk.before = (_call, name, path) =>
      name === "write" && path.endsWith(".s2.tmp") && ++failures > 0 ? kind : undefined;
    for (let seq = 1; seq <= MESSAGES; seq++) {
      store.append("s", undefined, bytes(payloadOf(seq)), seq);
      await store.flush();
      await settled(2);
    }
    assert.equal(failures, 1, "it is not tried at once again");
    assert.deepEqual([files(disk, ".s2"), files(disk, ".tmp")], [[], []]);
    await checkAll(store);
    disk.before = undefined;
    await clock.advance(10_000);
    await settled();
    assert.equal(files(disk, ".log").length === 1, again);
    await checkAll(store);
    await storage.close();
  });
}
