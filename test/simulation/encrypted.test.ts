import { it } from "node:test";
import { simulate } from "./run.ts";

const SEEDS = 100;

it("a whole server keeps its promises while its files get another key and another cipher in each of its lives", async () => {
  for (let seed = 1; seed <= SEEDS; seed++) await simulate(seed, true, true);
});

// A number that only the name of a file said: a consumer was built on it, and the file had gone with the power when that was cut again.
it("seed 490, which has found something with encrypted files", async () => simulate(490, true, true));

// A message was pushed out for one that was lost with the power; a consumer that had gone past it, and written that down, never delivered it.
it("seed 8344, which has found something with encrypted files", async () => simulate(8344, true, true));

// A purge had failed on a full disk, and a consumer was made that begins behind what was gone: that was back after a power cut, and nobody got it.
it("seed 20180, which has found something with encrypted files", async () => simulate(20_180, true, true));
