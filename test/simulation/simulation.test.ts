import { it } from "node:test";
import { simulate } from "./run.ts";

/** Seeds that have found something once. */
const FOUND = [
  // Names of files, made just before a process was killed, that were lost with the power after its next start.
  2,
  // A file whose beginning did not fit on the disk came back after a power cut, and was taken for a damaged one.
  18,
  // The id of a message that was refused, as the disk was full, was remembered: sent again it was a "duplicate", and never stored.
  815,
  // A message that came through a power cut without its id, which follows it on disk: sent again it was stored twice.
  1712,
  // A message that was to make room for another was back, as the disk was full; a consumer that had delivered it had forgotten it.
  2331,
  // A message that was refused, as the disk was full, was back after a power cut.
  2398,
  // A consumer's state was written twice at once on a full disk, the second time as none: what was acknowledged came again.
  4061,
  // A message that was refused was back: what took it out of the file had failed after it was refused.
  81,
  // Two files that had been begun in vain were back after the power was cut again: the zeros of the one in use were taken for damage.
  1218,
];
const SEEDS = 150;

for (const small of [false, true]) {
  it(`a whole server keeps its promises, whatever fails, by some hundred seeds${small ? ", with small files" : ""}`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) await simulate(seed, small);
  });
}

for (const seed of FOUND) {
  it(`seed ${seed}, which has found something`, async () => simulate(seed, false));
}

// A file that was begun when the disk was full stayed, as what was to be taken back of the one before it failed: it said that a refused message had been there.
it("seed 8848, which has found something with small files", async () => simulate(8848, true));

// The last file of a stream was complete and empty when the power went; after the start it was taken away, and the stream counted from 1 again.
it("seed 20971, which has found something with small files", async () => simulate(20_971, true));
