/** Command lines given to gnatlet and to a real nats-server: how each ends, and what it says. */
import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { Command, GNATLET, masked } from "../support/command.ts";
import { certificate, tlsFile } from "../support/tls-files.ts";
import { until } from "../support/waiting.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-peer-"));
/** Gnatlet by the other's name, so that messages begin with the same word. */
const link = join(folder, "nats-server");
after(() => rmSync(folder, { recursive: true }));

const { certFile, keyFile } = certificate("server");
const TLS = ["--tlscert", certFile, "--tlskey", keyFile];

/** What ends with a message: the exit code, and stderr as it is; stdout is nats-server's help or nothing. */
const ENDING: string[][] = [
  ["--nope"],
  ["-p"],
  ["-p", "abc"],
  ["-p="],
  ["-p=1x"],
  ["-p", "99999999999999999999"],
  ["-p", "08"],
  ["-D=maybe"],
  ["-h=2"],
  ["--=x"],
  ["---x"],
  ["-"],
  ["foo"],
  ["--", "foo"],
  ["-p=1", "extra"],
  ["-D", "false"],
  ["-h"],
  ["--help"],
  ["help"],
  ["HELP", "me"],
  ["-p", "1", "-h", "-x"],
  ["-t"],
  ["-n", "a b", "-p", "-1"],
  ["--tls"],
  ["--tls", "--tlscert", "a"],
  ["--tlsverify", "--tlskey", "a"],
  ["--signal", "foo=1"],
  ["--signal", "stop=1=2"],
  ["--signal", "stop=abc"],
  ["-sl", "quit=999999"],
];

/** Configuration files, and whether they are valid. */
const FILES: [name: string, text: string][] = [
  ["empty.conf", ""],
  ["plain.conf", "listen: 127.0.0.1:-1\nmax_payload: 9MB\ndebug: false, logtime: true\n"],
  ["warned.conf", 'listen: "127.0.0.1:-1", ping_interval: 3'],
  ["unknown.conf", "port: -1, foo: 3"],
  ["broken.conf", "port: {"],
  ["boot.conf", "listen: 127.0.0.1:-1\nserver_name: a\nno_auth_user: nobody"],
  ["included.conf", "include './plain.conf'\nserver_name: included"],
  ["open.conf", "listen: 127.0.0.1:-1, server_name: open\nauthorization { users: [{ user: a }] }"],
  ["includes.conf", "include './nothing.conf'"],
];

before(() => {
  symlinkSync(GNATLET, link);
  for (const [name, text] of FILES) writeFileSync(join(folder, name), text);
});

/** What fails while it starts: the last line. */
const FAILING: string[][] = [
  ["-a", "127.0.0.1", "-p", "-1", "-P", "/no/such/folder/file"],
  ["-a", "1.2.3.4", "-p", "-1"],
  ["-a", "127.0.0.1", "-p", "-1", "-js", "-sd", "plain.conf"],
  ["-a", "127.0.0.1", "-p", "-1", "-js", "-sd", "plain.conf/under"],
];

describe("gnatlet and nats-server", () => {
  const real = process.env.NATS_SERVER!;
  const options = { cwd: folder };

  for (const args of ENDING) {
    it(`say the same: ${args.join(" ")}`, async () => {
      const [ours, theirs] = await Promise.all([
        Command.run(link, args, options),
        Command.run(real, args, options),
      ]);
      assert.equal(ours.code, theirs.code);
      assert.equal(masked(ours.stderr), masked(theirs.stderr));
      assert.equal(ours.stdout.slice(0, 40), theirs.stdout.slice(0, 40));
    });
  }

  for (const [name] of FILES) {
    it(`test ${name} alike`, async () => {
      for (const args of [
        ["-t", "-c", name],
        ["-c", name, "-t", "-p", "4"],
      ]) {
        const [ours, theirs] = await Promise.all([
          Command.run(link, args, options),
          Command.run(real, args, options),
        ]);
        assert.deepEqual(ours, theirs);
      }
    });
  }

  it("start by a file alike, and flags come first", async () => {
    for (const [file, ...flags] of [
      ["plain.conf"],
      ["plain.conf", "-T=false", "-m", "-1", "-n", "named"],
      ["included.conf", "-logtime_utc"],
      ["open.conf"],
    ]) {
      const logs: string[] = [];
      for (const program of [link, real]) {
        await using command = new Command(program, ["-c", file, ...flags], options);
        await command.logged(/Server is ready/);
        assert.equal(await command.end("SIGINT"), 0);
        logs.push(masked(command.stderr).replace(/^.* {2}(Version|Git|Gnatlet): .*$/gm, "<versions>"));
      }
      assert.equal(logs[0], logs[1]);
    }
  });

  it("end with the same lines, with JetStream", async () => {
    const logs: string[] = [];
    for (const program of [link, real]) {
      await using command = await Command.serve(program, ["-js", "-sd", `streams-${logs.length}`], options);
      assert.equal(await command.end("SIGINT"), 0);
      logs.push(masked(command.stderr).replace(/^[\s\S]*Server is ready/, ""));
    }
    assert.equal(logs[0], logs[1]);
  });

  it("refuse what cannot start with the same words", async () => {
    for (const args of [
      ["-c", "boot.conf"],
      ["-c", "unknown.conf"],
      ["-c", "none.conf"],
    ]) {
      const [ours, theirs] = await Promise.all([
        Command.run(link, args, options),
        Command.run(real, args, options),
      ]);
      assert.equal(ours.code, theirs.code);
      assert.equal(masked(ours.stderr).split("\n").at(-2), masked(theirs.stderr).split("\n").at(-2));
    }
  });

  it("name a file of TLS that is not there, and nothing else", async () => {
    for (const program of [link, real]) {
      const args = ["--tls", "--tlscert", certFile, "--tlskey", "no-key"];
      const { code, stderr } = await Command.run(program, args, options);
      assert.equal(code, 1);
      assert.match(stderr, /^nats-server: .*no-key.*\n$/);
      assert.match(stderr, /no such file or directory/);
    }
  });

  it("say the same of files for TLS that cannot be used, in a test and at the start", async () => {
    const cert = JSON.stringify(certFile);
    const key = JSON.stringify(keyFile);
    const other = JSON.stringify(tlsFile("client-key.pem"));
    const noPem = JSON.stringify(tlsFile("make.sh"));
    const blocks = [
      `tls { cert_file: "/no/such/cert.pem", key_file: ${key} }`,
      `tls {\n  cert_file: ${cert}\n  key_file: "/no/such/key.pem"\n}`,
      `tls { cert_file: ${cert}, key_file: ${other} }`,
      `tls { cert_file: ${noPem}, key_file: ${key} }`,
      `tls { cert_file: ${cert}, key_file: ${noPem} }`,
      `tls { cert_file: ${cert}, key_file: ${key}, ca_file: "/no/such/ca.pem" }`,
      `tls { cert_file: ${cert}, key_file: ${key}, ca_file: ${noPem} }`,
      `websocket {\n  port: -1\n  tls { cert_file: ${cert}, key_file: "/no/such/key.pem" }\n}`,
    ];
    const file = join(folder, "tls-files.conf");
    for (const block of blocks) {
      writeFileSync(file, `port: -1\n\n${block}\n`);
      for (const args of [
        ["-t", "-c", file],
        ["-c", file],
      ]) {
        const [ours, theirs] = await Promise.all(
          [link, real].map((program) => Command.run(program, args, options)),
        );
        assert.deepEqual(ours, theirs, block);
        assert.equal(theirs.code, 1);
      }
    }
  });

  it("say the same of a log file that cannot be opened", async () => {
    for (const program of [link, real]) {
      const { code, stderr } = await Command.run(program, ["-l", "/no/such/folder/file"], options);
      assert.equal(code, 1);
      // Before these words the one has the time, the other its name.
      assert.match(
        stderr,
        / error opening file: open \/no\/such\/folder\/file: no such file or directory\n$/,
      );
    }
  });

  for (const args of FAILING) {
    it(`fail with the same line: ${args.join(" ")}`, async () => {
      const [ours, theirs] = await Promise.all([
        Command.run(link, args, options),
        Command.run(real, args, options),
      ]);
      assert.equal(ours.code, theirs.code);
      const last = (log: string): string | undefined => masked(log).trimEnd().split("\n").at(-1);
      assert.equal(last(ours.stderr), last(theirs.stderr));
    });
  }

  it("say the same version to whoever asks for it", async () => {
    for (const args of [["-v"], ["--version"], ["version"]]) {
      const pattern = /^nats-server: v\d+\.\d+\.\d+\n/;
      assert.match((await Command.run(link, args)).stdout, pattern);
      assert.match((await Command.run(real, args)).stdout, pattern);
    }
  });

  it("show the same flags in their help", async () => {
    const [ours, theirs] = await Promise.all([Command.run(link, ["--help"]), Command.run(real, ["--help"])]);
    const flags = (help: string): string[] =>
      [...new Set([...help.matchAll(/(?<=^ +|, |,)--?\w+/gm)].map(([flag]) => flag))].sort();
    assert.deepEqual(flags(ours.stdout), flags(theirs.stdout));
  });

  for (const [args, ending] of [
    [[], "SIGINT"],
    [["-T=false"], "SIGTERM"],
    [["-m", "-1", "-js=false"], "SIGTERM"],
    [["--tls", ...TLS], "SIGINT"],
    [["--tlsverify", "--tlscacert", tlsFile("ca.pem"), ...TLS], "SIGINT"],
    [["-logtime_utc", "--user", "u", "--pass", "p"], "SIGINT"],
  ] as const) {
    it(`log the same lines: ${args.join(" ")} ${ending}`, async () => {
      const logs: string[] = [];
      for (const program of [link, real]) {
        await using command = await Command.serve(program, args);
        assert.equal(await command.end(ending), 0);
        // Their version and commit, our version and our own.
        logs.push(masked(command.stderr).replace(/^.* {2}(Version|Git|Gnatlet): .*$/gm, "<versions>"));
      }
      assert.equal(logs[0], logs[1]);
    });
  }

  it("leave the same pid file and ports file", async () => {
    const found: object[] = [];
    for (const [name, program] of [
      ["ours", link],
      ["theirs", real],
    ]) {
      const place = join(folder, name);
      mkdirSync(place);
      const files = ["-P", join(place, "pid"), "--ports_file_dir", place];
      await using command = await Command.serve(program, [...files, "-m", "-1", "--tls", ...TLS]);
      // Made first, and written then.
      const written = (): string[] =>
        readdirSync(place).filter((file) => statSync(join(place, file)).size > 0);
      await until(() => written().length === 2, "both files are there");
      const names = readdirSync(place).sort();
      const contents = names.map((file) =>
        readFileSync(join(place, file), "utf8")
          .replaceAll(String(command.pid), "<pid>")
          .replace(/:\d+"/g, ':<port>"'),
      );
      const modes = names.map((file) => statSync(join(place, file)).mode);
      assert.equal(await command.end("SIGINT"), 0);
      found.push({
        names: names.map((file) => file.replace(String(command.pid), "<pid>")),
        contents,
        modes,
        left: readdirSync(place),
      });
    }
    assert.deepEqual(found[0], found[1]);
  });
});
