/** Kills a server with JetStream while clients use it, and checks what it has kept: `npm run kill -- --rounds 200`. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { KillOracle } from "../test/server/kills.ts";

const { values } = parseArgs({ options: { rounds: { type: "string" } } });
const rounds = Number(values.rounds ?? 200);
const directory = await mkdtemp(join(tmpdir(), "gnatlet-server-kills-"));
const oracle = new KillOracle(directory);
for (let round = 1; round <= rounds; round++) {
  await oracle.round(20 + Math.random() * 500);
  const { published, acknowledged } = oracle.confirmed;
  if (round % 20 === 0)
    console.log(
      `${round} kills, ${published} messages and ${acknowledged} acknowledgements confirmed, all kept`,
    );
}
await oracle.finish();
console.log(`${rounds} kills: all that was confirmed is there, all that was not acknowledged was delivered`);
await rm(directory, { recursive: true });
