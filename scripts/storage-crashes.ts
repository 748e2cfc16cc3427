/**
 * Cuts the power before every disk call of every script of so many steps: `npx tsx scripts/storage-crashes.ts <steps> [<outcomes>]`, with up to so many
 * outcomes of each crash (2,000 unless said). The tests do the same for short scripts.
 */
import process from "node:process";
import { checkScript, scripts } from "../test/storage/crashes.ts";

const length = Number(process.argv[2] ?? 3);
const outcomes = Number(process.argv[3] ?? 2000);
let crashes = 0;
let count = 0;
for (const script of scripts(length)) {
  crashes += await checkScript(script, outcomes);
  count += 1;
  if (count % 100 === 0) console.log(`${count} scripts, ${crashes} crashes`);
}
console.log(`${count} scripts, ${crashes} crashes: the promises hold`);
