import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { killRound } from "./killed.ts";

test("kill -9 on a real file system, again and again: what was acknowledged is there", async () => {
  const directory = await mkdtemp(join(tmpdir(), "gnatlet-killed-"));
  try {
    const known = { acknowledged: 0, gone: new Set<number>() };
    for (let round = 0; round < 8; round++) {
      await killRound(directory, 40 + round * 60, round % 4 < 2 ? "none" : "s2", known);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});
