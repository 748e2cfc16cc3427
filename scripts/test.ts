/**
 * Runs the tests with Node's own runner. Some need a program, by their folder: `test/peers/` compares with a real nats-server,
 * `test/browser/` opens pages in a Chromium, `test/natscli/` has the `nats` command as a user, `test/natstop/` nats-top, `test/bun/` and `test/deno/` run the build there.
 * Each is looked for in `.tools/`, on the PATH, and where a variable (NATS_SERVER, CHROMIUM, NATS_CLI, NATS_TOP, BUN, DENO) says. Where there is none, the tests are left out, with a word about it; CI
 * must have the first two.
 *
 * `npm test` runs all; `npm test -- client` those whose path has "client" in it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { findBrowser, findNatsServer, findRuntime, findTool } from "./tools.ts";

/** A test file that takes longer than this (ms) hangs. */
const FILE_TIMEOUT_MS = 90_000;

const root = resolve(import.meta.dirname ?? ".", "..");
const wanted = process.argv.slice(2);

/** A program that the tests of a folder need. */
interface Tool {
  readonly what: string;
  /** The variable that tells the tests where it is. */
  readonly env: string;
  readonly path: string | undefined;
  /** Whether CI may do without. */
  readonly optional?: boolean;
}

const TOOLS: Readonly<Record<string, Tool>> = {
  peers: { what: "nats-server to compare with", env: "NATS_SERVER", path: findNatsServer(root) },
  browser: { what: "Chromium", env: "CHROMIUM", path: findBrowser(root) },
  natscli: {
    what: "nats command",
    env: "NATS_CLI",
    path: findTool(root, "nats", process.env.NATS_CLI),
    optional: true,
  },
  natstop: {
    what: "nats-top",
    env: "NATS_TOP",
    path: findTool(root, "nats-top", process.env.NATS_TOP),
    optional: true,
  },
  bun: { what: "Bun", env: "BUN", path: findRuntime(root, "bun"), optional: true },
  deno: { what: "Deno", env: "DENO", path: findRuntime(root, "deno"), optional: true },
};

const all = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => join("test", name))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort();
const toolOf = (name: string): Tool | undefined => TOOLS[name.split(/[\\/]/)[1]];
const isMissing = (tool: Tool | undefined): boolean => tool !== undefined && tool.path === undefined;
const leftOut = all.filter((name) => isMissing(toolOf(name)));
if (process.env.CI && leftOut.some((name) => toolOf(name)?.optional !== true)) {
  console.error("CI must have a nats-server and a Chromium: .ci/run installs them");
  process.exit(1);
}
const files = all.filter((name) => !leftOut.includes(name));
if (files.length === 0) {
  console.error(`no test matches ${wanted.join(", ")}`);
  process.exit(1);
}

const found = Object.values(TOOLS).flatMap(({ env, path }) => (path === undefined ? [] : [[env, path]]));
const child: ChildProcess = spawn(
  process.execPath,
  ["--import", "tsx", "--test", `--test-timeout=${FILE_TIMEOUT_MS}`, "--test-reporter=spec", ...files],
  {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...Object.fromEntries(found) },
  },
);
/** What the runner says at the end; what has failed comes after that, and may be long. */
const counts = new Map<string, number>();
createInterface({ input: child.stdout! }).on("line", (line) => {
  console.log(line);
  const said = /^ℹ (\w+) (\d+)$/.exec(line);
  if (said !== null) counts.set(said[1], Number(said[2]));
});
child.on("close", (code) => {
  const count = (what: string): number => counts.get(what) ?? 0;
  const failed = count("fail") + count("cancelled");
  for (const name of leftOut) console.log(`left out, as there is no ${toolOf(name)?.what}: ${name}`);
  console.log(`${count("pass")} passed, ${failed} failed`);
  process.exit(code === 0 && failed === 0 ? 0 : 1);
});
