import { test } from "node:test";
import { flipCompressed, flipEverywhere, STATES, truncateEverywhere } from "./damage.ts";
import { ENCRYPTED, ENCRYPTED_COMPRESSED } from "./file-support.ts";

// The same as for files that are not encrypted: beside them, as it takes its time.
for (const [how, closed, merged] of STATES) {
  test(`encrypted: a flipped bit at every byte of every file costs at most the record that it hits, ${how}`, () =>
    flipEverywhere(closed, merged, ENCRYPTED));
}

test("encrypted: a flipped bit at every byte of a compressed file costs at most the block that it hits", () =>
  flipCompressed(true, false, ENCRYPTED_COMPRESSED));

for (const [how, options] of [
  ["encrypted", ENCRYPTED],
  ["encrypted and compressed", ENCRYPTED_COMPRESSED],
] as const) {
  test(`${how}: every truncation of every file after a clean stop: what is served is right, what is gone is told`, () =>
    truncateEverywhere(options));
}
