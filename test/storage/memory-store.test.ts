import { test } from "node:test";
import fc from "fast-check";
import { MemoryStore } from "../../src/storage/memory-store.ts";
import { VirtualClock } from "../support/simulated.ts";
import { operation, Pair } from "./store-model.ts";

test("the memory store gives the model's answers, whatever is done to it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
      const store = new MemoryStore(new VirtualClock(), 7, { sync: "always", noteAge: 0 });
      const pair = new Pair(store, async (same) => same);
      for (const each of operations) await pair.apply(each);
      await pair.compare();
    }),
    { numRuns: 150 },
  );
});
