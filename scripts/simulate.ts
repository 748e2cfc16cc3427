/**
 * Simulates a whole server with its clients and its disk, by a seed: `npm run sim -- --seed N` does one seed and says what happened, with small files if it is
 * given `--small`, and encrypted ones with `--encrypted`; `npm run sim -- --seeds 10000 [--from N]` does many, in all ways, and stops with the first that breaks a promise.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { simulate } from "../test/simulation/run.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string" },
    from: { type: "string" },
    small: { type: "boolean", default: false },
    encrypted: { type: "boolean", default: false },
  },
});
/** Whether files are small, and whether they are encrypted. */
const WAYS = [
  [false, false],
  [true, false],
  [true, true],
] as const;
const one = values.seed !== undefined;
const from = Number(values.seed ?? values.from ?? 1);
const count = one ? 1 : Number(values.seeds ?? 1_000);

/** A seed takes a tenth of a second; one that takes so long (ms) goes round in a circle. */
const ENDLESS_MS = 120_000;

/** Whoever goes round in a circle cannot say so: another thread looks whether runs end. */
const ended = new Int32Array(new SharedArrayBuffer(4));
const WATCH = `
const { workerData: { ended, first, titles, endless } } = require("node:worker_threads");
let last = -1;
setInterval(() => {
  if (Atomics.load(ended, 0) !== last) return void (last = Atomics.load(ended, 0));
  const seed = first + Math.floor(last / titles.length);
  require("node:fs").writeSync(2, "seed " + seed + titles[last % titles.length] + " does not end\\n");
  process.kill(process.pid, "SIGKILL");
}, endless);`;
const ways = one ? [[values.small, values.encrypted] as const] : WAYS;
const titles = ways.map(
  ([small, encrypts]) => `${small ? ", small files" : ""}${encrypts ? ", encrypted" : ""}`,
);
new Worker(WATCH, {
  eval: true,
  workerData: { ended, first: from, titles, endless: ENDLESS_MS },
}).unref();

for (let seed = from; seed < from + count; seed++) {
  for (const [small, encrypts] of ways) {
    const told: string[] = [];
    try {
      await simulate(seed, small, encrypts, told);
    } catch (error) {
      console.log(told.join("\n"));
      console.error(error);
      process.exit(1);
    }
    if (one) console.log(told.join("\n"));
    Atomics.add(ended, 0, 1);
  }
  if (!one && (seed - from + 1) % 500 === 0) console.log(`${seed - from + 1} seeds, nothing broken`);
}
console.log(`${count} ${count === 1 ? "seed" : "seeds"} from ${from}: no promise broken`);
process.exit(0);
