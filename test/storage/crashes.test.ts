import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";

// In processes of their own: where tests run, every promise is followed, and here all is made of promises.
const script = join(import.meta.dirname!, "../../scripts/storage-crashes.ts");
const run = async (start: string, longest: number): Promise<string> => {
  const options = ["--import", "tsx", script, `--start=${start}`, `--operations=${longest}`, "--outcomes=16"];
  return (await promisify(execFile)(process.execPath, options)).stdout;
};

test("every script of up to 4 operations on an empty disk, a crash before every disk call", async () => {
  assert.match(await run("empty", 4), /7380 scripts, \d{4,} crashes, \d{5,} outcomes: the promises hold/);
});

test("every script of up to 3 operations on a stream of some segments, a crash before every disk call", async () => {
  assert.match(await run("filled", 3), /819 scripts, \d{4,} crashes, \d{5,} outcomes: the promises hold/);
});

test("every script of up to 2 operations on a stream that is compressed, a crash before every disk call", async () => {
  assert.match(await run("compressed", 2), /90 scripts, \d{4,} crashes, \d{4,} outcomes: the promises hold/);
});

test("every script of up to 3 operations on an empty disk, encrypted, a crash before every disk call", async () => {
  assert.match(await run("encrypted", 3), /819 scripts, \d{4,} crashes, \d{4,} outcomes: the promises hold/);
});

test("every script of up to 2 operations on a stream that is encrypted and compressed, a crash before every disk call", async () => {
  assert.match(
    await run("encrypted-compressed", 2),
    /90 scripts, \d{4,} crashes, \d{4,} outcomes: the promises hold/,
  );
});

test("every script of up to 2 operations on a stream that is being encrypted, a crash before every disk call", async () => {
  assert.match(await run("converted", 2), /90 scripts, \d{4,} crashes, \d{4,} outcomes: the promises hold/);
});
