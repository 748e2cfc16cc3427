/** A file that somebody cuts while its stream is open. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyDisk } from "../support/faulty-disk.ts";
import { openStream } from "./file-support.ts";

const SEGMENT = 4000;

test("a message that is in a part of the file that was cut off is lost, and not looked for again and again", async () => {
  const disk = new FaultyDisk();
  const filled = await openStream(disk, SEGMENT);
  for (let i = 0; i < 30; i++)
    filled.store.append("s", undefined, new Uint8Array(Buffer.from("x".repeat(300))), 1);
  await filled.storage.close();
  const { store, storage } = await openStream(disk, SEGMENT);
  for (const path of disk.files().keys()) {
    if (path.endsWith(".log")) await (await disk.open(path, false)).truncate(0);
  }
  let reads = 0;
  disk.beforeRead = () => {
    // Ends what would go on for good.
    if (++reads > 100) throw new Error("again and again");
  };
  assert.equal(await store.get(15), undefined);
  assert.equal(store.has(15), false);
  assert.deepEqual(store.state.lost?.ranges, [[15, 15]]);
  await storage.close();
});
