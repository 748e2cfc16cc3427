/**
 * Runs the tests with Node's own runner. Those in `test/peers/` compare with a real nats-server: they run when there is one (in `.tools/`,
 * on the PATH, or named by NATS_SERVER), and are left out, with a word about it, when there is none; so are those in `test/browser/` without
 * a Chromium (on the PATH, or named by CHROMIUM). In CI there must be both.
 *
 * `npm test` runs all; `npm test -- client` those whose path has "client" in it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { findBrowser, findNatsServer } from "./nats-server.ts";

/** A test file that takes longer than this (ms) hangs. */
const FILE_TIMEOUT_MS = 90_000;

const root = resolve(import.meta.dirname ?? ".", "..");
const wanted = process.argv.slice(2);
const peer = findNatsServer(root);

const all = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => join("test", name))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort();
const browser = findBrowser(root);
const isBrowserTest = (name: string): boolean => name.split(/[\\/]/)[1] === "browser";
const isPeerTest = (name: string): boolean => name.split(/[\\/]/)[1] === "peers";
const withoutPeer = peer === undefined ? all.filter(isPeerTest) : [];
const withoutBrowser = browser === undefined ? all.filter(isBrowserTest) : [];
const leftOut = [...withoutPeer, ...withoutBrowser];
if (leftOut.length > 0 && process.env.CI) {
  console.error("CI must have a nats-server and a Chromium: .ci/run installs them");
  process.exit(1);
}
const files = all.filter((name) => !leftOut.includes(name));
if (files.length === 0) {
  console.error(`no test matches ${wanted.join(", ")}`);
  process.exit(1);
}

const child: ChildProcess = spawn(
  process.execPath,
  ["--import", "tsx", "--test", `--test-timeout=${FILE_TIMEOUT_MS}`, "--test-reporter=spec", ...files],
  {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...(peer && { NATS_SERVER: peer }), ...(browser && { CHROMIUM: browser }) },
  },
);
let tail = "";
child.stdout!.on("data", (bytes: Buffer) => {
  process.stdout.write(bytes);
  tail = (tail + bytes.toString("utf8")).slice(-20_000);
});
child.on("close", (code) => {
  const count = (what: string): number => Number(new RegExp(`^ℹ ${what} (\\d+)`, "m").exec(tail)?.[1] ?? 0);
  const failed = count("fail") + count("cancelled");
  for (const name of withoutPeer)
    console.log(`left out, as there is no nats-server to compare with: ${name}`);
  for (const name of withoutBrowser) console.log(`left out, as there is no Chromium: ${name}`);
  console.log(`${count("pass")} passed, ${failed} failed`);
  process.exit(code === 0 && failed === 0 ? 0 : 1);
});
