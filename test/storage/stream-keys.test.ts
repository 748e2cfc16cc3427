/** The document with a stream's key: what is left of it when the disk fails, or the power is cut, while it is written. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DiskErrorKind } from "../../src/seams/disk.ts";
import type { EncryptionSetup } from "../../src/storage/encryption.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { encrypted, openStorage } from "./file-support.ts";

const PLACE = ["streams", "S"];
const DOCUMENT = "the document";

async function read(disk: SimulatedDisk, encryption: EncryptionSetup): Promise<string> {
  const storage = await openStorage(disk, undefined, undefined, encryption);
  try {
    return Buffer.from((await storage.readDocument(PLACE))!).toString();
  } finally {
    await storage.close();
  }
}

async function write(disk: SimulatedDisk, encryption?: EncryptionSetup): Promise<void> {
  const storage = await openStorage(disk, undefined, undefined, encryption);
  await storage.writeDocument(PLACE, Buffer.from(DOCUMENT));
  await storage.close();
}

function keyFiles(disk: SimulatedDisk): string[] {
  return [...disk.files().keys()].filter((path) => /\/key\.(doc|copy)$/.test(path));
}

const CHANGES = [
  ["made", undefined, encrypted("new"), encrypted("new")],
  ["encrypted with another key", encrypted("old"), encrypted("new", "chacha", "old"), encrypted("new")],
] as const;

for (const [what, before, after, alone] of CHANGES) {
  for (const kind of ["full", "failed"] as const satisfies DiskErrorKind[]) {
    test(`a key is ${what}, and each disk call in turn fails (${kind}): the next start makes both of its files good for themselves`, async () => {
      const disk = new SimulatedDisk();
      await write(disk, before);
      for (let cut = 1; ; cut++) {
        const failing = disk.copy();
        let failed = false;
        failing.before = (call) => {
          failed ||= call === cut;
          return call === cut ? kind : undefined;
        };
        await read(failing, after).catch(() => {});
        failing.before = undefined;
        for (const left of [failing.copy(), failing.crash((options) => cut % options)]) {
          assert.equal(await read(left, after), DOCUMENT, `call ${cut}`);
          const files = keyFiles(left);
          assert.equal(files.length, 2, `call ${cut}`);
          for (const path of files) {
            assert.equal(
              await read(left.copy(path, new Uint8Array(7)), alone),
              DOCUMENT,
              `call ${cut}, ${path}`,
            );
          }
        }
        if (!failed) break;
      }
    });
  }
}

test("a key of which one file was damaged is there twice again; on a full disk it is used all the same", async () => {
  const disk = new SimulatedDisk();
  await write(disk, encrypted());
  const [first, second] = keyFiles(disk);
  for (const [damaged, other] of [
    [first, second],
    [second, first],
  ]) {
    const full = disk.copy(damaged, new Uint8Array(7));
    full.before = (_call, name) => (name === "write" ? "full" : undefined);
    assert.equal(await read(full, encrypted()), DOCUMENT);
    const again = disk.copy(damaged, new Uint8Array(7));
    assert.equal(await read(again, encrypted()), DOCUMENT);
    assert.equal(await read(again.copy(other, new Uint8Array(7)), encrypted()), DOCUMENT);
  }
});
