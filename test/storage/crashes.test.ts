import assert from "node:assert/strict";
import { test } from "node:test";
import { checkScript, scripts } from "./crashes.ts";

for (const [length, outcomes] of [
  [1, 500],
  [2, 30],
]) {
  test(`every script of ${length} steps, a crash before every disk call, ${outcomes} outcomes at most`, async () => {
    let crashes = 0;
    for (const script of scripts(length)) crashes += await checkScript(script, outcomes);
    assert.ok(crashes > 100);
  });
}
