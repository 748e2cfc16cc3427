/** What is done behind a store's back ends when there is nothing more to be done. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Erasures } from "../../src/storage/erasures.ts";
import { StorageError } from "../../src/storage/errors.ts";
import type { FileLog } from "../../src/storage/file-log.ts";
import type { Segment } from "../../src/storage/segment.ts";
import type { StreamIndex } from "../../src/storage/stream-index.ts";
import { Upkeep } from "../../src/storage/upkeep.ts";
import { settle } from "../support/simulated.ts";

test("a log that has stopped keeps a segment of which nothing is left, and the upkeep does not try again and again", async () => {
  // Found by the simulation (seed 4748 with small files): the disk failed while something else was being done.
  const empty = { live: 0, sealed: true, slabs: [], created: true, committed: 8, size: 8, emptiedAt: 0 };
  const stopped = new StorageError("stopped", "the disk has failed");
  const log = { segments: [empty as unknown as Segment], stopped } as unknown as FileLog;
  let tries = 0;
  const upkeep = new Upkeep({ firstSeq: 2 } as StreamIndex, log, new Erasures(), {
    durable: () => 1,
    horizon: () => 0,
    keepNotes: async () => {
      tries += 1;
      // Ends what would go on for good, and let nothing else run.
      if (tries > 10) throw new Error("again and again");
    },
    flush: () => Promise.resolve(),
    moved: () => {},
    compresses: () => false,
  });
  upkeep.look();
  await settle();
  assert.equal(tries, 0);
  await upkeep.stop();
});
