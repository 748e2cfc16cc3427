import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { nodeRuntime } from "../../src/runtime/node/runtime.ts";
import { FileStorage } from "../../src/storage/file-storage.ts";

test("a storage that another process has open is refused at once, with that process's number; once it was killed it can be opened", async () => {
  const directory = await mkdtemp(join(tmpdir(), "gnatlet-locked-"));
  const runtime = nodeRuntime();
  const context = { ...runtime, disk: await runtime.loadDisk() };
  const writer = join(import.meta.dirname!, "killed-writer.ts");
  const child = spawn(process.execPath, ["--import", "tsx", writer, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
    await assert.rejects(FileStorage.open(directory, context), (error: Error & { code?: string }) => {
      assert.equal(error.name, "StorageError");
      assert.equal(error.code, "locked");
      assert.match(error.message, new RegExp(`\\b${child.pid}\\b`));
      return true;
    });
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    await (await FileStorage.open(directory, context)).close();
  } finally {
    child.kill("SIGKILL");
    await rm(directory, { recursive: true });
  }
});
