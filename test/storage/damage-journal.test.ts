import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileStorage } from "../../src/storage/file-storage.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { openStorage, WAYS } from "./file-support.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (array: Uint8Array): string => Buffer.from(array).toString();
const PLACE = ["streams", "S", "consumer"];
const ENTRIES = ["all", "one", "two and a little more", "three", "last"];

for (const [how, encryption] of WAYS) {
  const open = (disk: SimulatedDisk): Promise<FileStorage> =>
    openStorage(disk, undefined, undefined, encryption);

  /** A journal that was compacted, with three records after that, each flushed on its own, and a last one. */
  async function smallJournal(): Promise<{ path: string; content: Uint8Array; disk: SimulatedDisk }> {
    const disk = new SimulatedDisk();
    const storage = await open(disk);
    const journal = await storage.openJournal(PLACE);
    journal.append(bytes("before"));
    await journal.flush();
    await journal.compact(bytes(ENTRIES[0]));
    for (const entry of ENTRIES.slice(1)) {
      journal.append(bytes(entry));
      await journal.flush();
    }
    await storage.close();
    const files = [...disk.files()].filter(([path]) => path.endsWith(".journal"));
    assert.equal(files.length, 1);
    return { path: files[0][0], content: files[0][1], disk };
  }

  /** What a journal has after damage. */
  async function found(disk: SimulatedDisk): Promise<{ entries: string[]; told: number }> {
    const storage = await open(disk);
    const journal = await storage.openJournal(PLACE);
    const entries = journal.found.map(text);
    // It goes on.
    journal.append(bytes("more"));
    await journal.flush();
    const told = storage.damaged.length;
    await storage.close();
    const again = await open(disk.copy());
    assert.equal(text((await again.openJournal(PLACE)).found.at(-1)!), "more");
    await again.close();
    return { entries, told };
  }

  test(`${how}a flipped bit at every byte of a journal costs at most the record that it hits, and is told`, async () => {
    const { path, content, disk } = await smallJournal();
    const lastRecord = content.length - (48 + (encryption === undefined ? 8 : 32));
    for (let at = 0; at < content.length; at++) {
      const flipped = new Uint8Array(content);
      flipped[at] ^= 1 << (at % 8);
      const { entries, told } = await found(disk.copy(path, flipped));
      for (const entry of entries) assert.ok(ENTRIES.includes(entry), `byte ${at}: ${entry}`);
      assert.ok(entries.length >= ENTRIES.length - 1, `byte ${at}: ${entries}`);
      // Of the last record nothing says that it was ever on disk: it may be what a crash has torn.
      if (at < lastRecord && entries.length < ENTRIES.length) assert.equal(told, 1, `byte ${at} is told of`);
    }
  });

  test(`${how}a journal that was cut anywhere has a beginning of its records`, async () => {
    const { path, content, disk } = await smallJournal();
    for (let size = 0; size < content.length; size++) {
      const { entries } = await found(disk.copy(path, content.slice(0, size)));
      assert.deepEqual(entries, ENTRIES.slice(0, entries.length), `cut to ${size}`);
    }
  });

  test(`${how}a document of which one file was cut anywhere is read from the other, and the cut one is set aside`, async () => {
    const disk = new SimulatedDisk();
    const storage = await open(disk);
    await storage.writeDocument(["d"], bytes("the first"));
    await storage.writeDocument(["d"], bytes("the configuration"));
    await storage.close();
    for (const [path, content] of disk.files()) {
      if (path.includes("/key.")) continue;
      for (let size = 0; size < content.length; size++) {
        const again = await open(disk.copy(path, content.slice(0, size)));
        assert.equal(text((await again.readDocument(["d"]))!), "the configuration");
        assert.equal(again.damaged.length, 1);
        await again.close();
      }
    }
  });

  for (const kind of ["failed", "full"] as const) {
    test(`${how}a disk call of a journal or document that fails (${kind}), each in turn: what was said to be on disk is`, async () => {
      for (let failing = 1; ; failing++) {
        const disk = new SimulatedDisk();
        const storage = await open(disk);
        const journal = await storage.openJournal(PLACE);
        const opened = disk.calls;
        let failed = false;
        disk.before = (call) => {
          if (call - opened !== failing) return undefined;
          failed = true;
          return kind;
        };
        const done = { entries: [] as string[], document: "" };
        const asked: string[] = [];
        const attempt = async (action: () => Promise<void>, then: () => void): Promise<void> => {
          try {
            await action();
            then();
          } catch (error) {
            assert.ok(error instanceof Error && /^(Storage|Disk)Error$/.test(error.name), String(error));
          }
        };
        const say = (entry: string, how: "append" | "compact"): Promise<void> =>
          attempt(
            async () => {
              asked.push(entry);
              if (how === "compact") return journal.compact(bytes(entry));
              journal.append(bytes(entry));
              await journal.flush();
            },
            () => {
              done.entries = [...asked];
            },
          );
        await say("1", "append");
        await say("2", "append");
        await attempt(
          () => storage.writeDocument(["d"], bytes("A")),
          () => {
            done.document = "A";
          },
        );
        await say("=2", "compact");
        await say("3", "append");
        await attempt(
          () => storage.writeDocument(["d"], bytes("B")),
          () => {
            done.document = "B";
          },
        );
        disk.before = undefined;
        for (const after of [disk.crash(() => 0), disk.crash(() => 1)]) {
          const again = await open(after);
          const entries = (await again.openJournal(PLACE)).found.map(text);
          const last = done.entries.at(-1);
          if (last !== undefined) {
            const followed = asked.slice(asked.indexOf(last) + 1);
            assert.ok(
              [last, ...followed].includes(entries.at(-1)!),
              `call ${failing}: ${entries}, not ${last}`,
            );
          }
          const document = await again.readDocument(["d"]);
          if (done.document !== "") {
            assert.ok(
              document !== undefined && text(document) >= done.document,
              `call ${failing}: the document`,
            );
          }
          assert.deepEqual(again.damaged, []);
          await again.close();
        }
        await storage.close();
        if (!failed) break;
      }
    });
  }
}
