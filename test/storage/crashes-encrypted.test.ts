import assert from "node:assert/strict";
import { test } from "node:test";
import { runCrashes } from "./run-crashes.ts";

test("every script of up to 3 operations on an empty disk, encrypted, a crash before every disk call", async () => {
  assert.match(
    await runCrashes("encrypted", 3),
    /819 scripts, \d{4,} crashes, \d{4,} outcomes: the promises hold/,
  );
});

test("every script of up to 2 operations on a stream that is encrypted and compressed, a crash before every disk call", async () => {
  assert.match(
    await runCrashes("encrypted-compressed", 2),
    /90 scripts, \d{4,} crashes, \d{4,} outcomes: the promises hold/,
  );
});

test("every script of up to 2 operations on a stream that is being encrypted, a crash before every disk call", async () => {
  assert.match(
    await runCrashes("converted", 2),
    /90 scripts, \d{4,} crashes, \d{4,} outcomes: the promises hold/,
  );
});
