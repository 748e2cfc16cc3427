/** The command line: what each spelling means, and what is said of what is wrong. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FLAG_RULES, FLAG_SECTIONS } from "../../src/cli/flag-table.ts";
import { parseCommandLine } from "../../src/cli/flags.ts";
import { programName, redacted } from "../../src/cli/program.ts";
import { FlagError, flagOptions } from "../../src/cli/settings.ts";
import { usageText } from "../../src/cli/usage.ts";

function flags(line: string): object {
  const asked = parseCommandLine(line === "" ? [] : line.split(" "));
  assert.equal(asked.kind, "run", JSON.stringify(asked));
  return asked.kind === "run" ? asked.flags : {};
}

function options(line: string): object {
  return flagOptions(flags(line));
}

describe("a flag", () => {
  for (const rule of FLAG_RULES.values()) {
    if ("refused" in rule || rule.kind === "switch") continue;
    const text = rule.kind === "whole" ? "17" : "some text";
    const value = rule.kind === "whole" ? 17 : "some text";
    for (const name of rule.names) {
      it(`-${name} takes its value in every way`, () => {
        for (const args of [
          [`-${name}`, text],
          [`--${name}`, text],
          [`-${name}=${text}`],
          [`--${name}=${text}`],
        ])
          assert.deepEqual(parseCommandLine(args), { kind: "run", flags: { [rule.key]: value } });
        assert.equal(parseCommandLine([`-${name}`]).kind, "usage");
      });
    }
  }

  const lines: [line: string, flags: object][] = [
    ["", {}],
    ["-DV", { debugAndTrace: true }],
    ["-DV=false", { debugAndTrace: false }],
    ["-T=0 --debug=T", { logtime: false, debug: true }],
    ["-p 1 --port=2", { port: 2 }],
    ["-p 0x10 -m 0b11", { port: 16, httpPort: 3 }],
    ["-p 0o17 -m 010", { port: 15, httpPort: 8 }],
    ["-p -1", { port: -1 }],
    ["-p +4_222", { port: 4222 }],
    ["-c -p", { config: "-p" }],
    ["-user= -auth a=b", { user: "", auth: "a=b" }],
    ["--routes= --syslog=false --profile 0", { routes: "", syslog: false, profile: 0 }],
    ["-D --", { debug: true }],
  ];
  for (const [line, expected] of lines) {
    it(`reads "${line}"`, () => assert.deepEqual(flags(line), expected));
  }

  it("asks for a text in the order of nats-server: version, help, then words", () => {
    assert.equal(parseCommandLine(["-h", "-v"]).kind, "version");
    assert.equal(parseCommandLine(["--help_tls", "--help"]).kind, "help");
    assert.equal(parseCommandLine(["--help_tls", "VERSION"]).kind, "helpTls");
    assert.equal(parseCommandLine(["VERSION", "x"]).kind, "version");
    assert.equal(parseCommandLine(["Help"]).kind, "help");
  });

  for (const args of [
    ["--routes", "nats://h:1"],
    ["-cluster", "nats://h:1"],
    ["--cluster_name", "c"],
    ["--profile", "1"],
    ["-s"],
  ]) {
    it(`${args[0]} is refused with a sentence`, () => {
      const asked = parseCommandLine(args);
      assert.equal(asked.kind, "refused");
      assert.match(asked.kind === "refused" ? asked.problem : "", /^flag -\w+: .*(use|let|start) /);
    });
  }

  it("is in the help, in all its spellings", () => {
    const text = usageText("gnatlet");
    for (const { flags } of FLAG_SECTIONS)
      for (const { names } of flags)
        for (const name of names) assert.match(text, new RegExp(`[ ,]--?${name}\\b`), name);
    for (const line of text.split("\n")) assert.ok(line.length <= 132, line);
  });
});

describe("flags as options", () => {
  const lines: [line: string, options: object][] = [
    ["", {}],
    ["-p -1 -a ::1", { listen: { host: "::1", port: 0 } }],
    ["-p 0 -m 0", {}],
    ["-m 8222 -ms -1", { http: { port: 8222 }, https: { port: 0 } }],
    ["-n one -P p.pid --ports_file_dir d", { serverName: "one", pidFile: "p.pid", portsFileDir: "d" }],
    ["--user u", { authorization: { user: "u", password: "" } }],
    ["--user u --pass p", { authorization: { user: "u", password: "p" } }],
    ["--pass p", {}],
    ["--user u --auth t", { authorization: { token: "t" } }],
    ["--tls --tlscert c --tlskey k", { tls: { certFile: "c", keyFile: "k" } }],
    [
      "--tlsverify --tlscert c --tlskey k --tlscacert r",
      { tls: { certFile: "c", keyFile: "k", caFile: "r", verify: true } },
    ],
    ["--tls=false --tlscert c", { tls: undefined }],
    ["-D", { debug: true }],
    ["-DV", { debug: true, trace: true }],
    ["-VV", { trace: true, traceVerbose: true }],
    ["-DVV", { debug: true, trace: true, traceVerbose: true }],
    ["-V -DV=false", { trace: false, debug: false }],
    [
      "-l f --log_size_limit 9 -T=false --logtime_utc",
      { logFile: "f", logfileSizeLimit: 9, logtime: false, logtimeUtc: true },
    ],
    ["--max_traced_msg_len -4", { maxTracedMsgLen: 0 }],
  ];
  for (const [line, expected] of lines) {
    it(`"${line}"`, () => assert.deepEqual(options(line), expected));
  }

  it("that do not go together", () => {
    assert.throws(() => options("--tls"), new FlagError("TLS Server certificate must be present and valid"));
    assert.throws(
      () => options("--tlscert c"),
      new FlagError("TLS Server private key must be present and valid"),
    );
    assert.throws(
      () => flagOptions({ serverName: "a b" }),
      new FlagError("server name cannot contain spaces"),
    );
  });
});

describe("the program", () => {
  it("goes by the name that it was started by", () => {
    assert.equal(programName("/x/.bin/gnatlet"), "gnatlet");
    assert.equal(programName("/x/dist/cli/gnatlet.js"), "gnatlet");
    assert.equal(programName("/usr/bin/nats-server"), "nats-server");
    assert.equal(programName(undefined), "gnatlet");
  });

  it("shows no secrets", () => {
    assert.deepEqual(redacted(["--user", "u", "-pass=p", "--auth=t", "-p", "1"]), [
      "--user",
      "[REDACTED]",
      "-pass=[REDACTED]",
      "--auth=[REDACTED]",
      "-p",
      "1",
    ]);
  });
});
