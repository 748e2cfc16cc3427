import process from "node:process";
import { test } from "node:test";
import fc from "fast-check";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { checkAfter, Oracle, perform, STEPS } from "./crashes.ts";
import { COMPRESSED, DURABLE, ENCRYPTED, ENCRYPTED_COMPRESSED } from "./file-support.ts";

test("long scripts, with merges and compression of segments, cut anywhere", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...STEPS, "large", "replace", "flush", "wait"), {
        minLength: 10,
        maxLength: 60,
      }),
      fc.integer({ min: 1, max: 400 }),
      fc.infiniteStream(fc.nat(1000)),
      fc.constantFrom(DURABLE, COMPRESSED, ENCRYPTED, ENCRYPTED_COMPRESSED),
      async (script, cut, choices, options) => {
        const disk = new SimulatedDisk();
        const oracle = new Oracle();
        const halted = new Promise<void>((resolve) => {
          disk.before = (call) => {
            if (call === cut) {
              disk.halt();
              resolve();
            }
            return undefined;
          };
        });
        await Promise.race([halted, perform(disk, script, oracle, options)]);
        await checkAfter(
          disk.crash((options) => choices.next().value % options),
          oracle,
          options,
        );
      },
    ),
    { numRuns: Number(process.env.CRASH_RUNS ?? 600), endOnFailure: true },
  );
});
