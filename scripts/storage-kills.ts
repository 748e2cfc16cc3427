/** Kills a process that writes to a stream, and checks what it has left: `npx tsx scripts/storage-kills.ts [<rounds>]`, 200 unless said. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { killRound } from "../test/storage/killed.ts";

const rounds = Number(process.argv[2] ?? 200);
const directory = await mkdtemp(join(tmpdir(), "gnatlet-kills-"));
const known = { acknowledged: 0, gone: new Set<number>() };
for (let round = 1; round <= rounds; round++) {
  await killRound(directory, Math.random() * 400, round % 6 < 3 ? "none" : "s2", known);
  if (round % 20 === 0)
    console.log(`${round} kills, ${known.acknowledged} messages acknowledged, nothing lost`);
}
await rm(directory, { recursive: true });
