import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { killRound } from "./killed.ts";

const ROUNDS = 8;

for (const [how, encrypts] of [
  ["", false],
  [", while each time the files get another key and another cipher", true],
] as const) {
  test(`kill -9 on a real file system, again and again${how}: what was acknowledged is there`, async () => {
    const directory = await mkdtemp(join(tmpdir(), "gnatlet-killed-"));
    try {
      const known = { acknowledged: 0, gone: new Set<number>() };
      for (let round = 0; round < ROUNDS; round++) {
        const compression = round % 4 < 2 ? "none" : "s2";
        await killRound(directory, 40 + round * 60, compression, known, encrypts ? round : 0);
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });
}
