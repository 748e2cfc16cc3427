import assert from "node:assert/strict";
import { test } from "node:test";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import {
  bytes,
  checkDamaged,
  flipCompressed,
  flipEverywhere,
  MOST_IN_BLOCK,
  STATES,
  smallStore,
  truncateEverywhere,
} from "./damage.ts";
import { COMPRESSED, DURABLE, openStorage, WAYS } from "./file-support.ts";

for (const [how, closed, merged] of STATES) {
  test(`a flipped bit at every byte of every file costs at most the record that it hits, ${how}`, () =>
    flipEverywhere(closed, merged, DURABLE));

  test(`a flipped bit at every byte of a compressed file costs at most the block that it hits, ${how}`, () =>
    flipCompressed(closed, merged, COMPRESSED));
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
  test(`every truncation of every file after a clean stop${how}: what is served is right, what is gone is told`, () =>
    truncateEverywhere(options));
}

for (const [how, encryption] of WAYS)
  test(`${how}a damaged document is read from its other file, and the damaged one is set aside and told of`, async () => {
    const disk = new SimulatedDisk();
    const storage = await openStorage(disk, undefined, undefined, encryption);
    await storage.writeDocument(["streams", "S"], bytes("the configuration"));
    await storage.close();
    for (const [path, content] of disk.files()) {
      for (let at = 0; at < content.length; at++) {
        const flipped = new Uint8Array(content);
        flipped[at] ^= 4;
        const damaged = disk.copy(path, flipped);
        const again = await openStorage(damaged, undefined, undefined, encryption);
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
