/**
 * Simulates a whole server with its clients and its disk, by a seed: `npm run sim -- --seed N` does one seed and says what happened, with small files if it is
 * given `--small`; `npm run sim -- --seeds 10000 [--from N]` does many, in both ways, and stops with the first that breaks a promise.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { simulate } from "../test/simulation/run.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    from: { type: "string" },
    small: { type: "boolean", default: false },
  },
});
const one = values.seed !== undefined;
const from = Number(values.seed ?? values.from ?? 1);
const count = one ? 1 : Number(values.seeds ?? 1_000);
for (let seed = from; seed < from + count; seed++) {
  for (const small of one ? [values.small] : [false, true]) {
    const told: string[] = [];
    try {
      await simulate(seed, small, told);
    } catch (error) {
      console.log(told.join("\n"));
      console.error(error);
      process.exit(1);
    }
    if (one) console.log(told.join("\n"));
  }
  if (!one && (seed - from + 1) % 500 === 0) console.log(`${seed - from + 1} seeds, nothing broken`);
}
console.log(`${count} ${count === 1 ? "seed" : "seeds"} from ${from}: no promise broken`);
process.exit(0);
