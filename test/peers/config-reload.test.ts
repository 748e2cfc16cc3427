/** What a reload may change, compared with a real nats-server that gets the same two files. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { readConfigFile } from "../../src/runtime/node/config-file.ts";
import { ServerError } from "../../src/server/errors.ts";
import { changedOptions } from "../../src/server/options/reload.ts";
import { resolveOptions } from "../../src/server/options/resolve.ts";
import { until } from "../support/waiting.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-reload-"));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, "x.conf");
const LISTEN = 'listen: "127.0.0.1:-1"\n';

/** What the real server says of a reload. */
async function real(before: string, changed: string): Promise<string> {
  writeFileSync(path, LISTEN + before);
  const child = spawn(process.env.NATS_SERVER!, ["-c", path], { stdio: ["ignore", "ignore", "pipe"] });
  try {
    let log = "";
    child.stderr!.on("data", (bytes) => {
      log += bytes;
    });
    await until(() => log.includes("Server is ready"), "nats-server is ready");
    writeFileSync(path, LISTEN + changed);
    child.kill("SIGHUP");
    await until(() => /Reloaded server conf|Failed to reload server conf.*\n/.test(log), "it has reloaded");
    return /Failed to reload server configuration: (.*)\n/.exec(log)?.[1] ?? "reloaded";
  } finally {
    await end(child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

function ours(before: string, changed: string): string {
  const [old, now] = [before, changed].map((text) => {
    writeFileSync(path, LISTEN + text);
    return resolveOptions(readConfigFile(path).options);
  });
  try {
    changedOptions(old, now);
    return "reloaded";
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    return error.message;
  }
}

const RELOADS: readonly [before: string, after: string][] = [
  ["", "debug: true"],
  ["", "max_payload: 1k, max_control_line: 1k, ping_interval: 1m0s".replace("1m0s", '"1m"')],
  ["", "max_connections: 5, write_deadline: 3s, max_traced_msg_len: 5"],
  ["", "client_advertise: a.b:1"],
  ["", "server_tags: [ a ]\nserver_metadata { a: b }"],
  ["", "authorization { user: a, password: b }"],
  ["accounts { A { users: [ {user: a} ] } }", "accounts { B { users: [ {user: a} ] } }"],
  ["", "mappings { a: b }"],
  ["no_fast_producer_stall: true", ""],
  ["server_name: a", "server_name: b"],
  ["", "max_pending: 8MB"],
  ["", "max_subs: 5"],
  ["", "max_sub_tokens: 5"],
  ["", "lame_duck_duration: 90s"],
  ["", "lame_duck_grace_period: 5s"],
  ["", "write_timeout: retry"],
  ["", "no_header_support: true"],
  ["", "disable_sublist_cache: true"],
  ["", "max_closed_clients: 5"],
  ["", "log_max_num: 5"],
  ["", "log_size_limit: 5"],
  ["", "allow_non_tls: true"],
  ["", 'http_base_path: "/a"'],
  ["", "listen: 1"],
  ["authorization { users: [ {user: a} ] }", "authorization { users: [ {user: a} ] }\nno_auth_user: a"],
  [
    "authorization { users: [ {user: a}, {user: b} ] }\nno_auth_user: a",
    "authorization { users: [ {user: b} ] }",
  ],
  ["authorization { users: [ {user: a} ] }\nno_auth_user: a", "authorization { users: [ {user: a} ] }"],
];

describe("reload beside nats-server", () => {
  for (const [before, changed] of RELOADS) {
    it(`says the same of ${JSON.stringify(before)} to ${JSON.stringify(changed)}`, async () => {
      assert.equal(ours(before, changed), await real(before, changed));
    });
  }
});
