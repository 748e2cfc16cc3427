import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, mock, test } from "node:test";
import { NodeClock } from "../../src/runtime/node/clock.ts";
import { NodeDisk } from "../../src/runtime/node/disk.ts";
import { nodeRandom } from "../../src/runtime/node/random.ts";
import { NodeTasks } from "../../src/runtime/node/tasks.ts";
import { FileStorage } from "../../src/storage/file-storage.ts";

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "gnatlet-disk-"));
});
after(() => rm(directory, { recursive: true }));

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

test("files: written, read, cut, renamed, listed, unlinked", async () => {
  const disk = new NodeDisk();
  const place = `${directory}/a/b/c`;
  await disk.makeDirectory(place);
  await assert.rejects(disk.open(`${place}/file`, false), { name: "DiskError", kind: "missing" });
  const file = await disk.open(`${place}/file`, true);
  await file.write(bytes("hello world"), 0);
  await file.write(bytes("W"), 6);
  await file.sync();
  assert.equal(await file.size(), 11);
  const into = new Uint8Array(20);
  assert.equal(await file.read(into, 6), 5);
  assert.equal(Buffer.from(into.subarray(0, 5)).toString(), "World");
  await file.truncate(5);
  assert.equal(await file.read(into, 0), 5);
  await file.close();
  await disk.rename(`${place}/file`, `${place}/other`);
  await disk.syncDirectory(place);
  assert.deepEqual(await disk.list(place), ["other"]);
  await disk.unlink(`${place}/other`);
  await disk.removeDirectory(place);
  assert.deepEqual(await disk.list(place), []);
  await assert.rejects(disk.unlink(`${place}/other`), { kind: "missing" });
});

test("what is written and synced at once is there, whatever the file is called by now", async () => {
  const disk = new NodeDisk();
  const place = `${directory}/synced`;
  await disk.makeDirectory(place);
  const file = await disk.open(`${place}/file.tmp`, true);
  await disk.rename(`${place}/file.tmp`, `${place}/file`);
  await file.writeSynced([bytes("one "), bytes("two ")], 0);
  await file.endSyncedWrites();
  await file.writeSynced([bytes("three")], 8);
  assert.equal((await readFile(`${place}/file`)).toString(), "one two three");
  await file.close();
  await assert.rejects(file.read(new Uint8Array(4), 0), { name: "DiskError", kind: "failed" });
  assert.deepEqual(await disk.list(place), ["file"]);
});

test("a file is closed once the calls under way are done", async () => {
  const disk = new NodeDisk();
  const file = await disk.open(`${directory}/slow`, true);
  const large = new Uint8Array(8 * 1024 * 1024).fill(1);
  const written = file.writeSynced([large], 0);
  await file.close();
  await written;
  assert.equal((await readFile(`${directory}/slow`)).length, large.length);
});

test("a journal on real files takes records after it was compacted", async () => {
  const context = {
    disk: new NodeDisk(),
    clock: new NodeClock(),
    random: nodeRandom,
    tasks: new NodeTasks(),
  };
  const open = (): Promise<FileStorage> => FileStorage.open(`${directory}/storage`, context);
  let storage = await open();
  const journal = await storage.openJournal(["journal"]);
  journal.append(bytes("one"));
  await journal.flush();
  await journal.compact(bytes("all"));
  journal.append(bytes("two"));
  await journal.flush();
  await storage.close();
  storage = await open();
  const { found } = await storage.openJournal(["journal"]);
  assert.deepEqual(
    found.map((each) => Buffer.from(each).toString()),
    ["all", "two"],
  );
  await storage.close();
});

const HOLDER = `
import { NodeDisk } from ${JSON.stringify(new URL("../../src/runtime/node/disk.ts", import.meta.url).href)};
await new NodeDisk().lock(process.argv[1]);
console.log("held");
setInterval(() => {}, 1000);
`;

async function holder(path: string): Promise<{ pid: number; kill(): Promise<void> }> {
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", HOLDER, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", () => reject(new Error("the holder has ended")));
  });
  return {
    pid: child.pid!,
    kill: () =>
      new Promise((resolve) => {
        child.once("close", () => resolve());
        child.kill("SIGKILL");
      }),
  };
}

test("a lock that another process holds is refused, with its number; one whose holder was killed is taken", async () => {
  const disk = new NodeDisk();
  const path = `${directory}/held.lock`;
  const other = await holder(path);
  try {
    await assert.rejects(disk.lock(path), (error: Error & { kind?: string }) => {
      assert.equal(error.kind, "locked");
      assert.match(error.message, new RegExp(`in use by process ${other.pid} since \\d{4}-`));
      return true;
    });
  } finally {
    await other.kill();
  }
  const lock = await disk.lock(path);
  await assert.rejects(disk.lock(path), { kind: "locked" });
  await lock.release();
  await (await disk.lock(path)).release();
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.includes("held")),
    [],
  );
});

test("of many that take a dead process's lock at once, one gets it", async () => {
  const path = `${directory}/dead.lock`;
  const other = await holder(path);
  await other.kill();
  const takers = Array.from({ length: 8 }, () => new NodeDisk().lock(path));
  const outcomes = await Promise.allSettled(takers);
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  for (const each of outcomes) if (each.status === "fulfilled") await each.value.release();
});

test("a lock of another process with the same number is a dead one's; what is no lock file is nobody's", async () => {
  const disk = new NodeDisk();
  const path = `${directory}/reused.lock`;
  const first = await disk.lock(path);
  const text = JSON.parse(await readFile(path, "utf8")) as { started: string };
  await first.release();
  if (process.platform === "linux") {
    await writeFile(path, JSON.stringify({ ...text, started: "1" }));
    await (await disk.lock(path)).release();
  }
  await writeFile(path, "{");
  await (await disk.lock(path)).release();
});

test("a directory that was made lasts once it is kept, whoever has made it", async () => {
  const disk = new NodeDisk();
  const names = new Map<number, string>();
  const synced: string[] = [];
  const { open, fsync } = fs;
  let failing = true;
  mock.method(fs, "open", ((path: string, ...rest: unknown[]) => {
    const callback = rest.pop() as (error: unknown, fd: number) => void;
    const opened = (error: unknown, fd: number): void => {
      names.set(fd, path);
      callback(error, fd);
    };
    (open as (...all: unknown[]) => void)(path, ...rest, opened);
  }) as typeof fs.open);
  mock.method(fs, "fsync", ((fd: number, callback: fs.NoParamCallback) => {
    if (failing) return callback(Object.assign(new Error("no"), { code: "EIO" }));
    synced.push(names.get(fd)!.slice(directory.length));
    fsync(fd, callback);
  }) as typeof fs.fsync);
  try {
    const [one, two] = [`${directory}/kept/a/one`, `${directory}/kept/a/two`];
    await Promise.all([disk.makeDirectory(one), disk.makeDirectory(one), disk.makeDirectory(two)]);
    await assert.rejects(disk.keepDirectory(one), { name: "DiskError", kind: "failed" });
    failing = false;
    // What could not be kept is tried again; what several wait for is done once.
    await Promise.all([disk.keepDirectory(one), disk.keepDirectory(one)]);
    assert.deepEqual(synced.splice(0).sort(), ["", "/kept", "/kept/a"]);
    await disk.keepDirectory(one);
    assert.deepEqual(synced, []);
    await disk.keepDirectory(two);
    assert.deepEqual(synced.splice(0), ["/kept/a"]);
    await disk.removeDirectory(two);
    await disk.makeDirectory(two);
    await disk.keepDirectory(two);
    assert.deepEqual(synced.splice(0), ["/kept/a"]);
    await disk.makeDirectory(two);
    await disk.keepDirectory(`${directory}/kept/a`);
    assert.deepEqual(synced, []);
  } finally {
    mock.restoreAll();
  }
});
