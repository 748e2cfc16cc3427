import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { KillOracle } from "./kills.ts";

const ROUNDS = 3;

test("kill -9 of a server with clients over TCP, again and again: what was confirmed is true", async () => {
  const directory = await mkdtemp(join(tmpdir(), "gnatlet-server-kills-"));
  try {
    const oracle = new KillOracle(directory);
    for (let round = 0; round < ROUNDS; round++) await oracle.round(150 + round * 100);
    await oracle.finish();
  } finally {
    await rm(directory, { recursive: true });
  }
});
