/**
 * What a program loads that starts a server and connects to it, in the built package: little, and nothing of the parts that are loaded when
 * they are first used (src/server/on-demand.ts, src/client/on-demand.ts).
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const ROOT = join(import.meta.dirname, "..", "..");
const DIST = join(ROOT, "dist");
const ENTRY = join(DIST, "runtime", "node", "index.js");

/** The most bytes of JavaScript that the entry point may load. Whoever needs more should ask whether every server does. */
const LOADED_MAX = 141_000;

/** What no server without options needs, nor a client of it, each a beginning of a path in src/. */
const ON_DEMAND = [
  "cli/",
  "jetstream/",
  "storage/",
  "s2/",
  "config/(?!errors)",
  "server/monitor/",
  "server/websocket/",
  "server/system/(parts|services|events)",
  "server/(accounts|authorization|checked-settings|jetstream|reload)",
  "server/options/(?!defaults|merge)",
  "client/(connector|greeting|target|server-pool|server-address|wire-server|keep-alive|debug)",
  "runtime/duplex",
  "runtime/node/(network|http|log-file|disk|ciphers)",
].map((path) => new RegExp(`^src/${path}`));

/** A program that starts a server, uses it, and tells which files of the package were loaded. */
const PROGRAM = (options: string): string => `
import { Session } from "node:inspector";
const session = new Session();
session.connect();
const loaded = [];
session.on("Debugger.scriptParsed", ({ params }) => loaded.push(params.url));
session.post("Debugger.enable");
const { connect, NatsServer } = await import(${JSON.stringify(pathToFileURL(ENTRY).href)});
const server = await NatsServer.start(${options});
const connection = await connect({ inProcessServer: server });
const subscription = connection.subscribe("a", { max: 1 });
connection.publish("a", "b");
for await (const _ of subscription);
await connection.close();
await server.close();
console.log(JSON.stringify(loaded));
`;

/** The built files that a file loads with it, itself included. */
function staticFiles(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const imports = readFileSync(file, "utf8").matchAll(/\b(?:import|export)\b[^"'();]*"(\.\.?\/[^"]+)"/g);
  for (const [, path] of imports) staticFiles(join(dirname(file), path), found);
  return found;
}

/** The sources that are in a built file, as its map names them. */
function sourcesIn(file: string): string[] {
  const { sources } = JSON.parse(readFileSync(`${file}.map`, "utf8")) as { sources: string[] };
  return sources.map((source) => relative(ROOT, join(dirname(file), source)));
}

function loadedBy(options: string): string[] {
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", PROGRAM(options)], {
    encoding: "utf8",
    cwd: join(DIST, ".."),
  });
  const prefix = pathToFileURL(DIST).href;
  return (JSON.parse(output) as string[])
    .filter((url) => url.startsWith(prefix))
    .map((url) => join(DIST, url.slice(prefix.length)))
    .sort();
}

test("the entry point loads little, and no part that is loaded on demand", () => {
  const files = [...staticFiles(ENTRY)];
  const bytes = files.reduce((sum, file) => sum + readFileSync(file).length, 0);
  assert.ok(files.length > 1, "its files were found");
  assert.ok(bytes < LOADED_MAX, `${bytes} bytes of JavaScript in ${files.length} files`);
  const sources = files.flatMap(sourcesIn);
  assert.ok(sources.includes("src/server/server.ts"), "sources were found");
  assert.deepEqual(
    sources.filter((source) => ON_DEMAND.some((path) => path.test(source))),
    [],
  );
});

test("a server without options, and a client of it, load nothing more", () => {
  const names = (files: readonly string[]): string[] => files.map((file) => relative(DIST, file));
  assert.deepEqual(names(loadedBy("")), names([...staticFiles(ENTRY)].sort()));
});

test("what is asked for is loaded", () => {
  assert.ok(loadedBy("{ pingMax: 3 }").flatMap(sourcesIn).includes("src/server/options/resolve.ts"));
  const sources = loadedBy("{ http: { port: 0 } }").flatMap(sourcesIn);
  assert.ok(sources.includes("src/server/monitor/monitor.ts"));
  assert.ok(!sources.includes("src/server/websocket/listener.ts"));
});

test("what every start calls is compiled while it is loaded", () => {
  // Functions in parentheses (scripts/eager-functions.ts); those of one of the client's modules and one of the server's stand for all.
  const code = [...staticFiles(ENTRY)].map((file) => readFileSync(file, "utf8")).join("\n");
  for (const name of ["settle", "newServerId"])
    assert.ok(code.includes(`var ${name}=(function ${name}(`), name);
  assert.ok(!code.includes("=(function statsOf("), "what a start does not call is not");
});

test("loops over the bytes of messages ask for nothing that stands at the top of a module", () => {
  // scripts/module-scope.ts; what is used for each byte of a subject, in another file than the one where it is declared, stands for all.
  const code = [...staticFiles(ENTRY)].map((file) => readFileSync(file, "utf8")).join("\n");
  assert.ok(
    !/\bHASH_PRIME\b/.test(code.replaceAll(/var HASH_PRIME\b/g, "")),
    "numbers are in the place of their names",
  );
  assert.ok(!/^(?:const|let) /m.test(code), "what is at the top is declared with `var`");
});
