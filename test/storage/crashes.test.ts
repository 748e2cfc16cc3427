import assert from "node:assert/strict";
import { test } from "node:test";
import { runCrashes } from "./run-crashes.ts";

test("every script of up to 4 operations on an empty disk, a crash before every disk call", async () => {
  assert.match(
    await runCrashes("empty", 4),
    /7380 scripts, \d{4,} crashes, \d{5,} outcomes: the promises hold/,
  );
});

test("every script of up to 3 operations on a stream of some segments, a crash before every disk call", async () => {
  assert.match(
    await runCrashes("filled", 3),
    /819 scripts, \d{4,} crashes, \d{5,} outcomes: the promises hold/,
  );
});

test("every script of up to 2 operations on a stream that is compressed, a crash before every disk call", async () => {
  assert.match(
    await runCrashes("compressed", 2),
    /90 scripts, \d{4,} crashes, \d{4,} outcomes: the promises hold/,
  );
});
