/** The command as it is shipped: starting, logging, signals, files. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Command, GNATLET, masked } from "../support/command.ts";
import { RawClient } from "../support/raw-client.ts";
import { until } from "../support/waiting.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-cli-"));
after(() => rmSync(folder, { recursive: true }));

const START = `[pid] <time> [INF] Starting nats-server
[pid] <time> [INF]   Version:  <version>
[pid] <time> [INF]   Gnatlet:  <version>
[pid] <time> [INF]   Name:     <id>
[pid] <time> [INF]   ID:       <id>
[pid] <time> [INF] Listening for client connections on 127.0.0.1:<port>
[pid] <time> [INF] Server is ready
`;

function lines(log: string): string {
  return masked(log).replace(/\d+\.\d+\.\d+$/gm, "<version>");
}

describe("the command", () => {
  it("starts, serves, and ends on SIGINT with 0", async () => {
    await using command = await Command.serve(GNATLET, []);
    assert.equal(lines(command.stderr), START);
    assert.ok(command.stderr.startsWith(`[${command.pid}] `));
    const client = await RawClient.open(command.port);
    client.send("CONNECT {}\r\nPING\r\n");
    await client.take(/PONG/);
    assert.equal(await command.end("SIGINT"), 0);
    assert.equal(
      lines(command.stderr).slice(START.length),
      `[pid] <time> [INF] Trapped "interrupt" signal
[pid] <time> [INF] Initiating Shutdown...
[pid] <time> [INF] Server Exiting..
`,
    );
  });

  it("ends on SIGTERM with 0", async () => {
    await using command = await Command.serve(GNATLET, []);
    assert.equal(await command.end("SIGTERM"), 0);
    assert.match(command.stderr, /Trapped "terminated" signal/);
  });

  it("listens on every address of the machine unless it is told otherwise", async () => {
    await using command = new Command(GNATLET, ["-p", "-1"]);
    await command.logged(/Listening for client connections on 0\.0\.0\.0:\d+\n/);
    await command.logged(/Server is ready/);
    const client = await RawClient.open(command.port);
    client.send("PING\r\n");
    await client.take(/PONG/);
    client.socket.destroy();
    const v6 = connectSocket({ host: "::1", port: command.port });
    const answer = await new Promise((resolve) =>
      v6.once("data", () => resolve("INFO")).once("error", resolve),
    );
    v6.destroy();
    // A machine without IPv6 has no such address.
    if (!String(answer).includes("EADDRNOTAVAIL")) assert.equal(answer, "INFO");
  });

  it("says in one line that the port is taken, and exits with 1", async () => {
    await using first = await Command.serve(GNATLET, []);
    const { code, stderr, stdout } = await Command.run(GNATLET, [
      "-a",
      "127.0.0.1",
      "-p",
      String(first.port),
    ]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /\[FTL\] Error listening on port: 127\.0\.0\.1:\d+, "listen tcp 127\.0\.0\.1:\d+: bind: address already in use"\n$/,
    );
    assert.doesNotMatch(stderr, /^\s+at /m);
  });

  it("goes by the name of a link to it", async () => {
    const link = join(folder, "nats-server");
    symlinkSync(GNATLET, link);
    const { stderr, code } = await Command.run(link, ["nonsense"]);
    assert.equal(stderr, 'nats-server: unrecognized command: "nonsense"\n');
    assert.equal(code, 1);
  });

  it("is found and signalled by its name, and shows no secrets", async () => {
    const name = `gn${process.pid}`;
    const link = join(folder, name);
    symlinkSync(GNATLET, link);
    await using command = await Command.serve(link, ["--user", "u1", "--pass=p1"]);
    if (existsSync("/proc/self/cmdline")) {
      const shown = readFileSync(`/proc/${command.pid}/cmdline`, "latin1");
      assert.ok(shown.startsWith(name), shown);
      assert.doesNotMatch(shown, /u1|p1/);
      assert.equal(readFileSync(`/proc/${command.pid}/comm`, "utf8"), `${name}\n`);
    }
    const sent = await Command.run(link, ["--signal", "reopen"]);
    assert.deepEqual(sent, { code: 0, stdout: "", stderr: "" });
    await command.logged(
      /Trapped "user defined signal 1" signal\n.*File log re-open ignored, not a file logger\n/,
    );
  });

  it("adds to a log file, and opens it anew on SIGUSR1", async () => {
    const file = join(folder, "server.log");
    const moved = `${file}.moved`;
    await using command = new Command(GNATLET, ["-a", "127.0.0.1", "-p", "-1", "-l", file, "-D"]);
    await until(
      () => existsSync(file) && /Server is ready\n/.test(readFileSync(file, "utf8")),
      "it is ready",
    );
    renameSync(file, moved);
    command.child.kill("SIGUSR1");
    await until(
      () => existsSync(file) && /File log re-opened\n/.test(readFileSync(file, "utf8")),
      "it is open anew",
    );
    assert.equal(await command.end("SIGINT"), 0);
    assert.match(readFileSync(moved, "utf8"), /Trapped "user defined signal 1" signal\n$/);
    assert.match(
      readFileSync(file, "utf8"),
      /^\[\d+\] .* \[INF\] File log re-opened\n[\s\S]*Server Exiting\.\.\n$/,
    );
    assert.equal(command.stderr, "");
  });

  it("writes a pid file, which stays, and a ports file, which does not", async () => {
    const pidFile = join(folder, "server.pid");
    await using command = await Command.serve(GNATLET, ["-P", pidFile, "--ports_file_dir", folder]);
    assert.equal(readFileSync(pidFile, "utf8"), String(command.pid));
    const portsFile = join(folder, `gnatlet_${command.pid}.ports`);
    assert.deepEqual(JSON.parse(readFileSync(portsFile, "utf8")), {
      nats: [`nats://127.0.0.1:${command.port}`],
    });
    assert.equal(await command.end("SIGTERM"), 0);
    assert.equal(existsSync(portsFile), false);
    assert.equal(existsSync(pidFile), true);
  });

  it("says on SIGHUP that there is nothing to reload", async () => {
    await using command = await Command.serve(GNATLET, []);
    command.child.kill("SIGHUP");
    await command.logged(
      /Trapped "hangup" signal\n.*\[ERR\] Failed to reload server configuration: can only reload config when a file is provided using -c or --config\n/,
    );
    assert.equal(await command.end("SIGTERM"), 0);
  });

  it("reloads its file on SIGHUP, under its flags; a file that is wrong changes nothing", async () => {
    const file = join(folder, "server.conf");
    const logFile = join(folder, "reloaded.log");
    const write = (text: string): void => writeFileSync(file, `listen: "127.0.0.1:-1"\n${text}`);
    write("max_payload: 1000, debug: false");
    await using command = new Command(GNATLET, ["-c", file, "-T=false", "-D=false"]);
    await command.logged(/Server is ready/);
    assert.match(command.stderr, /\[INF\] Using configuration file: \S+ \(sha256:[0-9a-f]{64}\)\n/);
    write("max_payload: 2000, debug: true, unknown: 1");
    command.child.kill("SIGHUP");
    await command.logged(
      /Trapped "hangup" signal\n.*\[ERR\] Failed to reload server configuration: \S+server\.conf:2:33: unknown field "unknown"\n/,
    );
    write(`max_payload: 2000, debug: true, log_file: "${logFile}"`);
    command.child.kill("SIGHUP");
    const log = (): string => (existsSync(logFile) ? readFileSync(logFile, "utf8") : "");
    await until(
      () => /Reloaded server configuration \(sha256:[0-9a-f]{64}\)\n/.test(log()),
      "it is reloaded",
    );
    assert.match(log(), /^\[\d+\] \[INF\] /);
    const client = await RawClient.openUngreeted(command.port);
    const info = await client.take(/^INFO .*\r\n/);
    assert.match(info, /"max_payload":2000[,}]/);
    client.socket.destroy();
    assert.equal(await command.end("SIGINT"), 0);
    assert.match(log(), /Server Exiting\.\.\n$/);
    assert.doesNotMatch(log() + command.stderr, /\[DBG\]/);
  });

  it("keeps messages in the folder that it is told", async () => {
    await using command = new Command(GNATLET, ["-a", "127.0.0.1", "-p", "-1", "-js", "-sd", folder]);
    await command.logged(/Store Directory: /);
    await command.logged(/Server is ready/);
    assert.ok(command.stderr.includes(`Store Directory: "${folder}/jetstream"`));
    await using second = new Command(GNATLET, ["-a", "127.0.0.1", "-p", "-1", "-js", "-sd", folder]);
    await second.logged(/\[FTL\] Can't start JetStream: .*storage\.lock: in use by process /);
  });
});
