/**
 * Measures Gnatlet against its peers: `npm run bench -- [--quick] [--only <text>] [--rounds <n>] [--write]`; with `--before <folder>` against the build of
 * another checkout.
 * See README.md beside it.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { BEFORE, type BenchCase, type Prepare } from "./case.ts";
import { CASES } from "./cases.ts";
import { thisMachine, versions } from "./machine.ts";
import { measure, type Row } from "./measure.ts";
import { findPeers } from "./peers.ts";
import { killChildrenOnExit } from "./processes.ts";
import { markdownReport, type Report, textReport, withResults } from "./report.ts";

const USAGE = `npm run bench -- [options]
  --only <text>   only cases whose name contains the text
  --rounds <n>    how often each is measured (default 5, or 3 with --quick)
  --quick         few messages: shows in about a minute that all works, not how fast
  --before <dir>  against another checkout, which has been built, instead of the peers: what a change has brought
  --write         puts the table into bench/README.md; not with --only, which would lose rows
  --help          this`;

/** The part of a full run's messages that a quick one has. */
const QUICK_SHARE = 0.05;

const root = resolve(import.meta.dirname, "..");

interface Arguments {
  readonly cases: readonly BenchCase[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly before: string | undefined;
  readonly write: boolean;
}

/** @throws Error that says what is wrong with them. */
function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      rounds: { type: "string" },
      before: { type: "string" },
      quick: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const { only, quick, write } = values;
  const before = values.before === undefined ? undefined : resolve(values.before);
  const rounds = values.rounds === undefined ? (quick ? 3 : 5) : Number(values.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error("--rounds must be a whole number from 1");
  if (write && only !== undefined) throw new Error("--write needs all cases: it does not go with --only");
  if (write && before !== undefined)
    throw new Error("--write puts what peers are compared with: it does not go with --before");
  const wanted = only?.toLowerCase() ?? "";
  const names = (spec: BenchCase): string[] => [spec.name, ...spec.rows.map((row) => row.name)];
  const cases = CASES.filter((spec) => names(spec).some((name) => name.toLowerCase().includes(wanted)));
  if (cases.length === 0) throw new Error(`no case has "${only}" in its name`);
  return {
    cases: before === undefined ? cases : cases.map((spec) => against(spec, before)),
    rounds,
    quick,
    before,
    write,
  };
}

/** The same case, with the build of another checkout as the peer, and nothing to be reached. */
function against(spec: BenchCase, root: string): BenchCase {
  const prepare: Prepare = (bench) => spec.ours({ ...bench, root });
  const rows = spec.rows.map((row) => ({ ...row, target: undefined }));
  return { ...spec, rows, peer: { name: BEFORE, prepare } };
}

async function main({ cases, rounds, quick, before, write }: Arguments): Promise<boolean> {
  for (const each of before === undefined ? [root] : [root, before]) {
    if (!existsSync(join(each, "dist", "runtime", "node", "index.js")))
      throw new Error(`there is no build to measure in ${each}: npm run build`);
  }
  console.error("looking for peers (and building the Go one, if need be) …");
  const peers = findPeers(root);
  for (const [name, version] of Object.entries(peers.versions)) console.error(`  ${name} ${version}`);
  for (const [name, why] of Object.entries(peers.leftOut)) console.error(`  ${name} is left out: ${why}`);

  const rows: Row[] = [];
  for (const [i, spec] of cases.entries()) {
    const place = `[${i + 1}/${cases.length}]`;
    if (spec.needs !== undefined && peers.leftOut[spec.needs] !== undefined) {
      console.error(`${place} ${spec.name}: left out, as it needs ${spec.needs}`);
      continue;
    }
    const progress = (line: string): void => console.error(`${place} ${line}`);
    rows.push(...(await measure(spec, { root, peers, rounds, share: quick ? QUICK_SHARE : 1, progress })));
  }

  const report: Report = {
    date: new Date().toISOString(),
    machine: thisMachine(),
    versions: versions(root, peers),
    rounds,
    quick,
    leftOut: peers.leftOut as Record<string, string>,
    rows,
  };
  console.log(`\n${textReport(report)}`);
  mkdirSync(join(root, "bench", "results"), { recursive: true });
  writeFileSync(join(root, "bench", "results", "latest.json"), `${JSON.stringify(report, null, 2)}\n`);
  if (write) {
    const page = join(root, "bench", "README.md");
    writeFileSync(page, withResults(readFileSync(page, "utf8"), markdownReport(report)));
  }
  return rows.every((row) => row.ours.error === undefined);
}

killChildrenOnExit();
try {
  process.exitCode = (await main(readArguments())) ? 0 : 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
