/** Segments of which nothing is left but notes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeText } from "../../src/protocol/text.ts";
import type { StreamStore } from "../../src/storage/store.ts";
import { settle, VirtualClock } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { DURABLE, openStorage } from "./file-support.ts";

const SEGMENT = 4000;
const NOTES = 200;

/** Where nothing goes on any more, this is more than enough; else it ends all the same. */
async function rest(): Promise<void> {
  for (let i = 0; i < 500; i++) await settle();
}

async function passThrough(store: StreamStore): Promise<void> {
  store.remove(store.append("s", undefined, encodeText("x"), 1));
  await store.flush();
  await rest();
}

test("notes that take more than a segment are not written again and again when all messages have gone; they go when they are old", async () => {
  const disk = new SimulatedDisk();
  // Ends what would go on for good.
  disk.before = (call) => (call > 10_000 ? "failed" : undefined);
  const clock = new VirtualClock();
  const storage = await openStorage(disk, SEGMENT, clock);
  const store = await storage.openStream(["streams", "S"], DURABLE);
  for (let i = 0; i < NOTES; i++) {
    store.append("s", undefined, encodeText("x"), 1);
    store.note(encodeText(`${i} ${"id ".repeat(20)}`), clock.now());
  }
  await store.purge({});
  await rest();
  assert.equal([...store.notes()].length, NOTES);

  const before = disk.calls;
  await passThrough(store);
  assert.ok(disk.calls - before < 20, `${disk.calls - before} calls of the disk for one message`);

  const again = await (await openStorage(disk.copy(), SEGMENT)).openStream(["streams", "S"], DURABLE);
  assert.equal([...again.notes()].length, NOTES);

  await clock.advance(DURABLE.noteAge + 1);
  await passThrough(store);
  const files = [...disk.files().keys()].filter((path) => path.endsWith(".log"));
  assert.ok(files.length <= 2, `${files.length} files are left`);
  await storage.close();
});
