/**
 * Cuts the power before every disk call of every script of operations on a stream, and checks the promises on what is left:
 * `npm run crashes -- [--start=NAME] [--operations=4] [--outcomes=256]`. A crash of up to so many outcomes is looked at in all of them,
 * another in those that `outcomes` in test/storage/crashes.ts chooses. The tests do the same with fewer outcomes.
 */
import { parseArgs } from "node:util";
import {
  Crashes,
  compressedStart,
  convertedStart,
  emptyStart,
  encryptedCompressedStart,
  encryptedStart,
  filledStart,
  OPERATIONS,
  scripts,
} from "../test/storage/crashes.ts";

const { values } = parseArgs({
  options: {
    start: { type: "string" },
    operations: { type: "string", default: "4" },
    outcomes: { type: "string", default: "256" },
  },
});
const starts = {
  empty: emptyStart,
  filled: filledStart,
  compressed: compressedStart,
  encrypted: encryptedStart,
  "encrypted-compressed": encryptedCompressedStart,
  converted: convertedStart,
};
for (const [name, begin] of Object.entries(starts)) {
  if (values.start !== undefined && values.start !== name) continue;
  const crashes = new Crashes(Number(values.outcomes));
  const start = await begin();
  let count = 0;
  for (let length = 1; length <= Number(values.operations); length++) {
    for (const script of scripts(length)) await crashes.check(script, start);
    count += OPERATIONS.length ** length;
    console.log(
      `${name}: ${count} scripts, ${crashes.cuts} crashes, ${crashes.outcomes} outcomes: the promises hold`,
    );
  }
}
