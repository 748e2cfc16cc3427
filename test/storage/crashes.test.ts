import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import fc from "fast-check";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { checkAfter, checkScript, runUntil, STEPS, scripts } from "./crashes.ts";

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

test("long scripts, with merges of segments, cut anywhere", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...STEPS, "large", "replace", "flush", "wait"), {
        minLength: 10,
        maxLength: 60,
      }),
      fc.integer({ min: 1, max: 400 }),
      fc.infiniteStream(fc.nat(1000)),
      async (script, cut, choices) => {
        const disk = new SimulatedDisk();
        const { oracle } = await runUntil(disk, script, cut);
        await checkAfter(
          disk.crash((options) => choices.next().value % options),
          oracle,
        );
      },
    ),
    { numRuns: Number(process.env.CRASH_RUNS ?? 400), endOnFailure: true },
  );
});
