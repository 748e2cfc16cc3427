#!/usr/bin/env node
/** The command `gnatlet`: a NATS server that takes nats-server's flags. */
import { writeFileSync, writeSync } from "node:fs";
import process from "node:process";
import { NATS_VERSION, VERSION } from "../seams/version.ts";
import { parseCommandLine } from "./flags.ts";
import { programName, redacted } from "./program.ts";

const STDOUT = 1;
const STDERR = 2;

const program = programName(process.argv[1]);
const args = process.argv.slice(2);
const asked = parseCommandLine(args);

switch (asked.kind) {
  case "version":
    // The release whose behaviour this is, as nats-server says it: programs read it to know what a server can do.
    writeSync(STDOUT, `nats-server: v${NATS_VERSION}\ngnatlet: v${VERSION}\n`);
    break;
  case "helpTls":
    writeSync(STDOUT, `${(await import("./usage.ts")).TLS_HELP}\n`);
    break;
  case "help":
    await showUsage();
    break;
  case "usage":
    writeSync(STDERR, `${asked.problem}\n`);
    await showUsage();
    break;
  case "refused":
    fail(`${program}: ${asked.problem}`);
    break;
  case "run":
    if (asked.flags.signal) await signal(asked.flags.signal);
    else await start();
}

async function showUsage(): Promise<void> {
  const { usageText } = await import("./usage.ts");
  writeSync(STDOUT, `${usageText(program)}\n`);
}

async function signal(parameter: string): Promise<void> {
  const { PROCESSES, sendSignal } = await import("./send-signal.ts");
  const problem = sendSignal(parameter, program, PROCESSES);
  if (problem !== undefined) fail(`${program}: ${problem}`);
}

async function start(): Promise<void> {
  if (asked.kind !== "run") return;
  showName();
  const { CommandError, run } = await import("./run.ts");
  try {
    const shown = await run(asked.flags);
    if (shown !== undefined) writeSync(STDERR, `${program}: ${shown}\n`);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    fail(error.message === "" ? "" : `${program}: ${error.message}`);
  }
}

/** Has `ps` show the command without passwords, and `pgrep` and `pidof`, which `--signal` goes by, know the program's name. */
function showName(): void {
  process.title = [program, ...redacted(args)].join(" ");
  try {
    // The title's first 15 characters are the name until here.
    if (process.platform === "linux") writeFileSync("/proc/self/comm", program);
  } catch {
    // There is no such file everywhere; the title does for `--signal`.
  }
}

/** Everything was written by then: nothing here writes later than it returns. */
function fail(text: string): never {
  if (text !== "") writeSync(STDERR, `${text}\n`);
  process.exit(1);
}
