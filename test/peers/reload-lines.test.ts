/** What the log says of a reload, compared with a real nats-server that gets the same two files. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { NatsServer } from "../../src/runtime/node/nats-server.ts";
import { RealServer } from "../support/real-server.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { CLIENT_SPKI, tlsFile } from "../support/tls-files.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-reload-"));
after(() => rmSync(folder, { recursive: true }));

/** The texts of a configuration; STORE stands for a folder, PID for a file. */
type Reload = readonly [before: string, after: string];

function written(side: string, config: string): string {
  const path = join(folder, `${side}.conf`);
  const store = JSON.stringify(join(folder, side));
  writeFileSync(
    path,
    `listen: "127.0.0.1:-1"\n${config.replaceAll("STORE", store).replaceAll("PID", `${path}.pid`)}`,
  );
  return path;
}

/** The lines about the reload, without what differs from run to run. */
function about(lines: readonly string[]): string[] {
  return lines
    .filter((line) => line.startsWith("Reload"))
    .map((line) => line.replace(/sha256:\w+/, "<digest>").replace(/\/(real|ours)\./, "/<side>."));
}

async function real([before, changed]: Reload): Promise<string[]> {
  await using server = await RealServer.start(["-c", written("real", before)]);
  const begin = server.log.length;
  written("real", changed);
  await server.reload();
  return about(server.log.slice(begin));
}

async function ours([before, changed]: Reload): Promise<string[]> {
  const logger = new RecordingLogger();
  await using server = await NatsServer.fromConfigFile(written("ours", before), { logger });
  const begin = logger.lines.length;
  written("ours", changed);
  await server.reload();
  return about(logger.lines.slice(begin));
}

const USER = "{user: a, password: b}";
const USERS = `authorization { users: [ ${USER} ] }`;
const ACCOUNT = `accounts { A { users: [ ${USER} ] } }`;
const JETSTREAM = "jetstream { store_dir: STORE, max_mem: 1MB, max_file: 1MB }";

function tls(more: string): string {
  return `tls { cert_file: "${tlsFile("server.pem")}", key_file: "${tlsFile("server-key.pem")}", ca_file: "${tlsFile("ca.pem")}", ${more} }`;
}

const RELOADS: readonly Reload[] = [
  ["", ""],
  ["authorization { token: a }", "authorization { token: a }"],
  ["authorization { token: a }", "authorization { token: b }"],
  ["", "authorization { token: b }"],
  ["authorization { token: b }", ""],
  ["authorization { user: a, password: b }", "authorization { user: a, password: c }"],
  ["authorization { user: a, password: b }", "authorization { user: c, password: b }"],
  ["authorization { user: a, password: b }", "authorization { user: c, password: d, timeout: 5 }"],
  ["authorization { user: a, password: b }", ""],
  ["authorization { user: a, password: b }", "authorization { token: b }"],
  ["", "authorization { user: a, password: b }"],
  ["", "authorization { timeout: 0.5 }"],
  [USERS, USERS],
  [USERS, "authorization { users: [ {user: a, password: c} ], timeout: 3 }"],
  [USERS, "authorization { user: a, password: b }"],
  [USERS, ACCOUNT],
  [ACCOUNT, ACCOUNT],
  [ACCOUNT, ACCOUNT.replaceAll("A {", "B {")],
  [ACCOUNT, ""],
  ["", ACCOUNT],
  ["", "mappings { a: b }"],
  [`${ACCOUNT}\nno_auth_user: a`, ACCOUNT.replaceAll("user: a", "user: b")],
  [
    "debug: true, max_payload: 2k",
    `trace: true, logtime: false, max_payload: 1k, max_connections: 5, ping_interval: "1m1s", ping_max: 3
     write_deadline: "3s", max_control_line: 1k`,
  ],
  [
    "",
    `max_traced_msg_len: 5, client_advertise: "a.b:1", server_tags: [ a ], trace_verbose: true
     server_metadata { a: b }
     trace_headers: true, logtime_utc: true, no_fast_producer_stall: true`,
  ],
  ['no_fast_producer_stall: true, client_advertise: "a.b:1"', ""],
  ["", "pid_file: PID"],
  [JETSTREAM, JETSTREAM],
  [JETSTREAM, JETSTREAM.replaceAll("1MB", "3MB")],
  [JETSTREAM, JETSTREAM.replace("max_file: 1MB", "max_file: 1536MB")],
  [JETSTREAM, ""],
  ["", JETSTREAM],
  [tls(""), tls("")],
  [tls(""), tls("timeout: 3")],
  [tls(""), tls(`verify: true, pinned_certs: [ "${CLIENT_SPKI}" ]`)],
  [tls(`verify: true, pinned_certs: [ "${CLIENT_SPKI}" ]`), tls("")],
  [tls(""), tls("handshake_first: true")],
  [tls(""), tls("handshake_first: auto")],
  [tls("handshake_first: auto"), tls('handshake_first: "300ms"')],
  [tls("handshake_first: true, timeout: 3"), ""],
  ["", tls("timeout: 1.5")],
];

describe("what is logged of a reload, beside nats-server", () => {
  for (const reload of RELOADS) {
    it(JSON.stringify(reload), async () => {
      assert.deepEqual(await ours(reload), await real(reload));
    });
  }
});
