import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileStorage } from "../../src/storage/file-storage.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { outcomes } from "./crashes.ts";
import { openStorage, WAYS } from "./file-support.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (array: Uint8Array): string => Buffer.from(array).toString();
const PLACE = ["streams", "S", "consumer"];

/** Runs `action` until the power is cut before disk call `cut`; returns whether it came to its end. */
async function cutAt(disk: SimulatedDisk, cut: number, action: () => Promise<void>): Promise<boolean> {
  const halted = new Promise<boolean>((resolve) => {
    disk.before = (call) => {
      if (call === cut) {
        disk.halt();
        resolve(false);
      }
      return undefined;
    };
  });
  return Promise.race([halted, action().then(() => true)]);
}

for (const [how, encryption] of WAYS) {
  const open = (disk: SimulatedDisk): Promise<FileStorage> =>
    openStorage(disk, undefined, undefined, encryption);

  test(`${how}a journal: whenever the power is cut, what was flushed is there, and what is there is a beginning of what was said`, async () => {
    for (let cut = 1; ; cut++) {
      const disk = new SimulatedDisk();
      let said = 0;
      let flushed = 0;
      const ended = await cutAt(disk, cut, async () => {
        let storage = await open(disk);
        let journal = await storage.openJournal(PLACE);
        for (let i = 1; i <= 12; i++) {
          said = i;
          if (i % 5 === 0) {
            await journal.compact(bytes(`all ${i}`));
          } else {
            journal.append(bytes(`${i} ${"x".repeat((i % 3) * 400)}`));
            if (i % 2 === 0) continue;
            await journal.flush();
          }
          flushed = i;
          if (i !== 7) continue;
          await storage.close();
          storage = await open(disk);
          journal = await storage.openJournal(PLACE);
        }
      });
      for (const choose of outcomes(200)) {
        const after = disk.crash(choose);
        const storage = await open(after);
        const journal = await storage.openJournal(PLACE);
        let count = 0;
        for (const record of journal.found) {
          const [first, second] = text(record).split(" ");
          if (first === "all") count = Number(second);
          else assert.equal(Number(first), ++count, "records come in order, with none missing");
        }
        assert.ok(count >= flushed, `${count} of ${flushed} flushed (cut ${cut})`);
        assert.ok(count <= said);
        assert.deepEqual(storage.damaged, []);
        journal.append(bytes(`${count + 1} `));
        await journal.flush();
        await storage.close();
        const again = await open(after);
        assert.equal(text((await again.openJournal(PLACE)).found.at(-1)!), `${count + 1} `);
      }
      if (ended) break;
    }
  });

  test(`${how}a document: whenever the power is cut, it is what it was or what it was to be`, async () => {
    for (let cut = 1; ; cut++) {
      const disk = new SimulatedDisk();
      let began = 0;
      let done = 0;
      const ended = await cutAt(disk, cut, async () => {
        const storage = await open(disk);
        for (let i = 1; i <= 3; i++) {
          began = i;
          await storage.writeDocument(["d"], bytes(`${i}`.repeat(300 * i)));
          done = i;
        }
      });
      for (const choose of outcomes(300)) {
        const storage = await open(disk.crash(choose));
        const found = await storage.readDocument(["d"]);
        const version = found === undefined ? 0 : Number(text(found)[0]);
        assert.ok(version >= done && version <= began, `${version} from ${done} to ${began}`);
        if (found !== undefined) assert.equal(text(found), `${version}`.repeat(300 * version));
        assert.deepEqual(storage.damaged, []);
      }
      if (ended) break;
    }
  });
}

test("a journal on a full disk keeps what it was given until there is space; a failed sync stops it", async () => {
  const disk = new SimulatedDisk();
  let storage = await openStorage(disk);
  let journal = await storage.openJournal(PLACE);
  journal.append(bytes("one"));
  disk.before = (_call, name) => (name === "write" ? "full" : undefined);
  await assert.rejects(journal.flush(), { code: "full" });
  disk.before = undefined;
  journal.append(bytes("two"));
  await journal.flush();
  disk.before = (_call, name) => (name === "sync" ? "failed" : undefined);
  journal.append(bytes("three"));
  await assert.rejects(journal.flush(), { code: "stopped" });
  assert.throws(() => journal.append(bytes("four")), { code: "stopped" });
  disk.before = undefined;
  await storage.close();
  storage = await openStorage(disk.copy());
  journal = await storage.openJournal(PLACE);
  assert.deepEqual(journal.found.slice(0, 2).map(text), ["one", "two"]);
});

test("names of any text have places of their own, and are listed", async () => {
  const disk = new SimulatedDisk();
  const storage = await openStorage(disk);
  const names = ["A", "a", "$G", "x.y", "ä/ö", "con", "~", "%41", "n".repeat(255), `${"n".repeat(254)}m`];
  for (const name of names) await storage.writeDocument(["place", name, "config"], bytes(name));
  for (const name of names) {
    assert.equal(text((await storage.readDocument(["place", name, "config"]))!), name);
    assert.deepEqual(await storage.listDocuments(["place", name]), ["config"]);
  }
  const listed = await storage.list(["place"]);
  assert.equal(listed.length, names.length);
  for (const name of names.slice(0, 8)) assert.ok(listed.includes(name), name);
  await storage.deleteAll(["place", "A"]);
  assert.equal(await storage.readDocument(["place", "A", "config"]), undefined);
  assert.equal(text((await storage.readDocument(["place", "a", "config"]))!), "a");
});
