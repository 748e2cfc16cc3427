import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { openStream } from "./file-support.ts";

const SEGMENT = 1000;
const payload = new Uint8Array(100).fill(7);

/** How long each segment is, and how much of its end is zeros. */
function segments(disk: SimulatedDisk): { size: number; zeros: number }[] {
  const found: { size: number; zeros: number }[] = [];
  for (const [path, content] of [...disk.files()].sort()) {
    if (!path.endsWith(".log")) continue;
    found.push({
      size: content.length,
      zeros: content.length - 1 - content.findLastIndex((byte) => byte !== 0),
    });
  }
  return found;
}

test("room is made ahead in the segment that is written to, and what is written next makes it no longer", async () => {
  const disk = new SimulatedDisk();
  const { storage, store } = await openStream(disk, 1 << 20);
  store.append("a", undefined, payload, 1);
  await store.flush();
  await settle();
  const [before] = segments(disk);
  assert.ok(before.zeros >= 512, `${before.zeros} bytes of room`);
  store.append("a", undefined, payload, 2);
  await store.flush();
  assert.deepEqual(segments(disk), [{ size: before.size, zeros: before.zeros - 160 }]);
  await storage.close();
});

test("a segment that is sealed, and one whose stream is closed, end where their records end", async () => {
  const disk = new SimulatedDisk();
  const { storage, store } = await openStream(disk, SEGMENT);
  for (let i = 1; i <= 8; i++) {
    store.append("a", undefined, payload, i);
    await store.flush();
    await settle();
  }
  const open = segments(disk);
  assert.ok(open.length === 2 && open[0].zeros < 8 && open[1].zeros >= 256, JSON.stringify(open));
  await storage.close();
  for (const { zeros } of segments(disk)) assert.ok(zeros < 8, `${zeros} zeros`);
});

test("room that there is no space for is done without", async () => {
  const disk = new SimulatedDisk();
  const { storage, store } = await openStream(disk, 1 << 20);
  let writes = 0;
  // The second write is that of the room.
  disk.before = (_call, name) => (name === "write" && ++writes === 2 ? "full" : undefined);
  for (let i = 1; i <= 3; i++) {
    store.append("a", undefined, payload, i);
    await store.flush();
    await settle();
  }
  assert.equal(writes, 4);
  assert.equal(store.refusing, undefined);
  const { store: again } = await openStream(
    disk.crash(() => 0),
    1 << 20,
  );
  assert.deepEqual([again.state.messages, again.state.lost], [3, undefined]);
  await storage.close();
});
