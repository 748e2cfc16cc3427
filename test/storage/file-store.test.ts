import { test } from "node:test";
import fc from "fast-check";
import { MemoryDisk } from "../../src/storage/memory-disk.ts";
import { openStream } from "./file-support.ts";
import { operation, Pair } from "./store-model.ts";

for (const segmentBytes of [700, 4000, 1 << 20]) {
  test(`the file store gives the model's answers, with segments of ${segmentBytes} bytes`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 40 }),
        fc.constantFrom("closed", "crashed"),
        async (operations, how) => {
          const disk = new MemoryDisk();
          let opened = await openStream(disk, segmentBytes);
          const pair = new Pair(opened.store, async (store) => {
            await store.flush();
            await opened.storage.close();
            if (how === "crashed") {
              for (const name of await disk.list("data/streams/%53")) {
                if (name === "stream.index") await disk.unlink(`data/streams/%53/${name}`);
              }
            }
            opened = await openStream(disk, segmentBytes);
            return opened.store;
          });
          for (const each of operations) await pair.apply(each);
          await pair.compare();
          await pair.apply({ do: "reopen" });
          await pair.compare();
          await opened.storage.close();
        },
      ),
      { numRuns: 150 },
    );
  });
}
