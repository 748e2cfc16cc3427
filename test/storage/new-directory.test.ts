/** Directories that are made for documents and journals: what is in them is not to be found before they last. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeText } from "../../src/protocol/text.ts";
import { FileStorage } from "../../src/storage/file-storage.ts";
import { settle, simulatedRuntime, VirtualClock } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";

/** A disk on which directories come to last only when they are let. */
class HeldDisk extends SimulatedDisk {
  readonly asked: string[] = [];
  #let: () => void = () => {};
  #held: Promise<void> | undefined;

  hold(): void {
    this.#held = new Promise((resolve) => (this.#let = resolve));
  }

  /** @param error - why they do not come to last. */
  release(error?: Error): void {
    this.#let();
    this.#held = error && Promise.reject(error);
    this.#held?.catch(() => {});
  }

  override async keepDirectory(directory: string): Promise<void> {
    this.asked.push(directory);
    await this.#held;
    await this.#held;
  }
}

async function rest(): Promise<void> {
  for (let i = 0; i < 8; i++) {
    await settle();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function open(disk: HeldDisk): Promise<FileStorage> {
  const clock = new VirtualClock();
  const { random, tasks } = simulatedRuntime(clock);
  return FileStorage.open("js", { disk, clock, random, tasks });
}

test("a document has its name only when its directory lasts, but is written before", async () => {
  const disk = new HeldDisk();
  const storage = await open(disk);
  disk.hold();
  const calls: string[] = [];
  disk.before = (_call, name) => void calls.push(name);
  let written = false;
  const writing = storage.writeDocument(["S", "c", "d"], encodeText("x")).then(() => (written = true));
  await rest();
  assert.equal(calls.filter((name) => name === "sync").length, 2);
  assert.ok(!calls.includes("rename") && !calls.includes("syncDirectory"), calls.join());
  assert.equal(written, false);
  disk.release();
  await writing;
  assert.deepEqual(calls.slice(-3), ["rename", "rename", "syncDirectory"]);
  await storage.close();
});

test("a document whose directory does not come to last is not there", async () => {
  const disk = new HeldDisk();
  const storage = await open(disk);
  disk.hold();
  const writing = storage.writeDocument(["S", "c", "d"], encodeText("x"));
  await rest();
  disk.release(new Error("no"));
  await assert.rejects(writing, /no/);
  disk.release();
  assert.equal(await storage.readDocument(["S", "c", "d"]), undefined);
  await storage.close();
});

test("a journal and a stream are open only when their directories last", async () => {
  for (const which of ["journal", "stream"] as const) {
    const disk = new HeldDisk();
    const storage = await open(disk);
    disk.hold();
    let opened = false;
    const opening = (
      which === "journal"
        ? storage.openJournal(["S", "c", "j"])
        : storage.openStream(["S"], { sync: "always", noteAge: 0 })
    ).then(() => (opened = true));
    await rest();
    assert.equal(opened, false, which);
    disk.release();
    await opening;
    await storage.close();
  }
});
