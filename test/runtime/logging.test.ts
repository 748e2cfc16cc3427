/** Log lines and log files of Node's runtime: format, rotation, and that nothing that befalls a log ends the server. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { NatsServer, ServerError } from "../../src/runtime/node/index.ts";
import { LogFile } from "../../src/runtime/node/log-file.ts";
import { writeAll } from "../../src/runtime/node/log-output.ts";
import { LogTime } from "../../src/runtime/node/log-time.ts";
import { type LogOptions, logLabels, NodeLogger } from "../../src/runtime/node/node-logger.ts";
import { nodeRuntime } from "../../src/runtime/node/runtime.ts";
import { systemErrorText } from "../../src/runtime/node/system-error.ts";
import { checkedSettings } from "../../src/server/checked-settings.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-log-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function newPath(): string {
  files += 1;
  const place = join(folder, String(files));
  mkdirSync(place);
  return join(place, "server.log");
}

/** The backups of a log file, oldest first. */
function backups(path: string): string[] {
  const place = join(path, "..");
  return readdirSync(place)
    .filter((name) => name.startsWith("server.log."))
    .sort()
    .map((name) => join(place, name));
}

const PLAIN = { info: (text: string) => `INF ${text}\n`, error: (text: string) => `ERR ${text}\n` };

describe("the time of a line", () => {
  it("is Go's, to the microsecond", () => {
    const time = new LogTime(true);
    const at = Date.UTC(2026, 0, 2, 15, 4, 5);
    assert.equal(time.format(at), "2026/01/02 15:04:05.000000");
    assert.equal(time.format(at + 1.234), "2026/01/02 15:04:05.001234");
    assert.equal(time.format(at + 999.9996), "2026/01/02 15:04:05.999999");
    assert.equal(time.format(at + 1_000), "2026/01/02 15:04:06.000000");
  });

  it("is that of the machine's zone", () => {
    const program = `
      import { LogTime } from ${JSON.stringify(join(import.meta.dirname, "../../src/runtime/node/log-time.ts"))};
      console.log(new LogTime(false).format(Date.UTC(2026, 0, 2, 23, 4, 5)));`;
    const shown = execFileSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "--eval", program],
      { env: { ...process.env, TZ: "Asia/Tokyo" }, encoding: "utf8" },
    );
    assert.equal(shown, "2026/01/03 08:04:05.000000\n");
  });

  it("goes on, and stays near the machine's clock", () => {
    const time = new LogTime(true);
    let before = time.now();
    for (let i = 0; i < 1_000; i++) {
      const now = time.now();
      assert.ok(now >= before, `${now} after ${before}`);
      before = now;
    }
    const shown = Date.parse(`${before.replaceAll("/", "-").replace(" ", "T").slice(0, 23)}Z`);
    assert.ok(Math.abs(shown - Date.now()) < 1_000);
  });
});

describe("a line", () => {
  function logged(options: LogOptions): string[] {
    const logFile = newPath();
    const logger = new NodeLogger({ ...options, logFile });
    logger.notice("n");
    logger.warn("w");
    logger.error("e");
    logger.debug("d");
    logger.trace("t");
    logger.fatal("f\n");
    logger.close();
    return readFileSync(logFile, "utf8").split("\n");
  }
  const labels = ["INF] n", "WRN] w", "ERR] e", "DBG] d", "TRC] t", "FTL] f"];

  it("has process id, time, level and text", () => {
    for (const [at, line] of logged({}).slice(0, -1).entries()) {
      const match = /^\[(\d+)\] \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} \[(.*)$/.exec(line);
      assert.ok(match, line);
      assert.equal(match[1], String(process.pid));
      assert.equal(match[2], labels[at]);
    }
  });

  it("has no time when none is wanted", () => {
    assert.deepEqual(logged({ logtime: false, logtimeUtc: true }), [
      ...labels.map((label) => `[${process.pid}] [${label}`),
      "",
    ]);
  });

  it("has the colours of nats-server on a terminal", () => {
    assert.equal(logLabels(true).notice, "[\u001b[32mINF\u001b[0m] ");
    assert.equal(logLabels(true).warn, "[\u001b[0;93mWRN\u001b[0m] ");
    assert.equal(logLabels(false).fatal, "[FTL] ");
  });
});

describe("a log file", () => {
  it("is added to, and is for its owner and group only", () => {
    const path = newPath();
    writeFileSync(path, "before\n");
    new LogFile(path, { sizeLimit: 0, maxFiles: 0 }, PLAIN).write("after\n");
    assert.equal(readFileSync(path, "utf8"), "before\nafter\n");
    const fresh = newPath();
    new LogFile(fresh, { sizeLimit: 0, maxFiles: 0 }, PLAIN).close();
    assert.equal(statSync(fresh).mode & 0o027, 0);
  });

  it("is set aside when it has grown too large, and nothing is lost", () => {
    const path = newPath();
    const log = new LogFile(path, { sizeLimit: 100, maxFiles: 0 }, PLAIN);
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i} ${"x".repeat(20)}\n`);
    for (const line of lines) log.write(line);
    log.close();
    const olds = backups(path);
    assert.ok(olds.length > 10);
    for (const old of olds) {
      assert.match(old, /server\.log\.\d{4}\.\d\d\.\d\d\.\d\d\.\d\d\.\d\d\.\d{9}$/);
      assert.ok(statSync(old).size > 100);
    }
    const all = [...olds, path].map((name) => readFileSync(name, "utf8")).join("");
    assert.equal(all.replace(/^INF Rotated log, backup saved as ".*"\n/gm, ""), lines.join(""));
  });

  it("is kept in so many files, the oldest go", () => {
    const path = newPath();
    const other = `${path}.not-a-backup`;
    writeFileSync(other, "");
    const log = new LogFile(path, { sizeLimit: 50, maxFiles: 3 }, PLAIN);
    for (let i = 0; i < 50; i++) log.write(`line ${i} ${"x".repeat(50)}\n`);
    log.close();
    const olds = backups(path).filter((name) => name !== other);
    assert.equal(olds.length, 2);
    assert.ok(existsSync(other));
    assert.match(readFileSync(olds[1], "utf8"), /line 49 /);
    assert.match(readFileSync(olds[1], "utf8"), /INF Purged log file "server\.log\.\d/);
  });

  it("that cannot be set aside is gone on with", () => {
    const path = newPath();
    const log = new LogFile(path, { sizeLimit: 40, maxFiles: 0 }, PLAIN);
    const place = join(path, "..");
    renameSync(place, `${place}.moved`);
    for (let i = 0; i < 3; i++) log.write(`line ${i} ${"x".repeat(40)}\n`);
    log.close();
    const text = readFileSync(join(`${place}.moved`, "server.log"), "utf8");
    assert.match(
      text,
      /line 0 .*\nERR Unable to rotate logfile \(.*\), will attempt next rotation at size 80\nline 1 /,
    );
    assert.match(text, /line 2 /);
  });

  it("on a full disk loses lines, and does no harm", () => {
    if (!existsSync("/dev/full")) return;
    const log = new LogFile("/dev/full", { sizeLimit: 10, maxFiles: 0 }, PLAIN);
    for (let i = 0; i < 3; i++) log.write("some line\n");
    log.close();
    log.write("after the end\n");
  });

  it("that cannot be opened anew is gone on with", () => {
    const path = newPath();
    const logger = new NodeLogger({ logFile: path, logtime: false });
    const moved = `${join(path, "..")}.moved`;
    renameSync(join(path, ".."), moved);
    logger.reopen();
    logger.notice("more");
    logger.close();
    const pid = `[${process.pid}]`;
    assert.equal(
      readFileSync(join(moved, "server.log"), "utf8"),
      `${pid} [ERR] error opening file: open ${path}: no such file or directory\n${pid} [INF] more\n`,
    );
  });
});

describe("a reader of lines that does not read", () => {
  it("is waited for only so long", () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const descriptor = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    const some = new Uint8Array(4096);
    assert.throws(() => {
      for (;;) writeSync(descriptor, some);
    }, /EAGAIN/);
    assert.equal(writeAll(descriptor, some, 10), false);
    assert.equal(writeAll(descriptor, some, 0), false);
    closeSync(descriptor);
    assert.equal(writeAll(descriptor, some, 10), true);
  });
});

describe("what the system says is wrong", () => {
  it("is worded as Go words it", () => {
    const say = (open: () => unknown): string => {
      try {
        open();
        return "";
      } catch (error) {
        return systemErrorText(error);
      }
    };
    assert.equal(
      say(() => openSync("/no/such", "r")),
      "open /no/such: no such file or directory",
    );
    assert.equal(
      say(() => openSync(folder, "w")),
      `open ${folder}: is a directory`,
    );
    assert.equal(systemErrorText(new Error("something else")), "something else");
  });
});

describe("a server in a program", () => {
  it("writes its log, pid and ports files", async () => {
    const logFile = newPath();
    const place = join(logFile, "..");
    const pidFile = join(place, "pid");
    const server = await NatsServer.start({ listen: { port: 0 }, logFile, pidFile, portsFileDir: place });
    assert.equal(readFileSync(pidFile, "utf8"), String(process.pid));
    const portsFile = readdirSync(place).find((name) => name.endsWith(`_${process.pid}.ports`));
    assert.ok(portsFile);
    assert.equal(
      readFileSync(join(place, portsFile), "utf8"),
      `{"nats":["nats://127.0.0.1:${server.port}"]}`,
    );
    renameSync(logFile, `${logFile}.moved`);
    server.reopenLog();
    await server.close();
    assert.deepEqual(readdirSync(place).sort(), ["pid", "server.log", "server.log.moved"]);
    assert.match(readFileSync(`${logFile}.moved`, "utf8"), /\[INF\] Server is ready\n$/);
    assert.match(
      readFileSync(logFile, "utf8"),
      /^\S+ \S+ \S+ \[INF\] File log re-opened\n[\s\S]* \[INF\] Server Exiting\.\.\n$/,
    );
  });

  it("says what it cannot write", async () => {
    const fails = async (options: object, option: string, says: RegExp): Promise<void> => {
      await assert.rejects(NatsServer.start(options), (error: unknown) => {
        assert.ok(error instanceof ServerError);
        assert.equal(error.code, "FILE_FAILED");
        assert.equal(error.option, option);
        assert.match(error.message, says);
        return true;
      });
    };
    await fails(
      { logFile: "/no/such/folder/log" },
      "logFile",
      /error opening file: open \/no\/such\/folder\/log: no such/,
    );
    await fails(
      { pidFile: "/no/such/folder/pid" },
      "pidFile",
      /Could not write pidfile: open \/no\/such\/folder\/pid: no such/,
    );
    const logFile = newPath();
    const server = await NatsServer.start({ logFile, portsFileDir: "/no/such/folder" });
    await server.close();
    assert.match(
      readFileSync(logFile, "utf8"),
      /\[ERR\] Error writing ports file \(\/no\/such\/folder\/.*_\d+\.ports\): open .*: no such file or directory\n/,
    );
  });

  it("logs elsewhere when its options change; where that cannot be, all stays", async () => {
    const first = newPath();
    const second = newPath();
    /** A server whose logging can be changed from here. */
    class Changeable extends NatsServer {
      static async begin(): Promise<Changeable> {
        const begun = new Changeable(checkedSettings({ logFile: first }), nodeRuntime());
        await begun.open();
        return begun;
      }

      logTo(logFile: string | undefined): void {
        this.applyLogging({ ...this.options, logFile, logtime: false });
      }
    }
    const server = await Changeable.begin();
    assert.throws(() => server.logTo("/no/such/folder/file"), { code: "FILE_FAILED" });
    server.reopenLog();
    server.logTo(second);
    server.reopenLog();
    server.logTo(undefined);
    await server.close();
    assert.match(readFileSync(first, "utf8"), /\[INF\] Server is ready\n.* \[INF\] File log re-opened\n$/);
    assert.equal(readFileSync(second, "utf8"), `[${process.pid}] [INF] File log re-opened\n`);
  });

  it("warns of messages that are very large", async () => {
    for (const [maxPayload, warns] of [
      [8 * 1024 * 1024, false],
      [8 * 1024 * 1024 + 1, true],
    ] as const) {
      const logFile = newPath();
      await (await NatsServer.start({ logFile, maxPayload })).close();
      const warning = /\[WRN\] Maximum payloads over 8\.00 MB are generally discouraged and could/;
      assert.equal(warning.test(readFileSync(logFile, "utf8")), warns);
    }
  });

  it("logs debug lines when it is told to", async () => {
    for (const debug of [false, true]) {
      const logFile = newPath();
      await (await NatsServer.start({ logFile, debug })).close();
      assert.equal(/\[DBG\]/.test(readFileSync(logFile, "utf8")), debug);
    }
  });
});
