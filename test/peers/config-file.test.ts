/** Configuration files, compared with what `nats-server -t` says of them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { ConfigError, showProblem } from "../../src/config/errors.ts";
import { readConfigFile } from "../../src/runtime/node/config-file.ts";
import { resolveOptions } from "../../src/server/options/resolve.ts";
import { BLOCKS } from "../../src/server/options/table/blocks.ts";
import { WRONG_FILES } from "../support/config-cases.ts";
import { setEveryKeyVariables } from "../support/every-key.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-config-"));
after(() => rmSync(folder, { recursive: true }));

/** What the real server says of a file, without its name. */
function real(path: string): string {
  const { stderr } = spawnSync(process.env.NATS_SERVER!, ["-t", "-c", path], { encoding: "utf8" });
  return stderr.replace(/^nats-server: /, "").trimEnd();
}

/** The warnings and errors of a file, or nothing. */
function ours(path: string): string[] {
  try {
    return readConfigFile(path).warnings.map(showProblem);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.split("\n");
  }
}

const PLACE = /^\S+:\d+:\d+: /;

describe("configuration file beside nats-server", () => {
  for (const text of WRONG_FILES) {
    it(`says the same of ${JSON.stringify(text)}`, () => {
      const path = join(folder, "x.conf");
      writeFileSync(path, text);
      const expected = real(path).split("\n");
      const said = ours(path);
      // Of some errors in blocks within blocks nats-server does not tell the place; we do.
      const lines = said.map((line, i) => (PLACE.test(expected[i]) ? line : line.replace(PLACE, "")));
      assert.deepEqual(lines, expected);
    });
  }

  describe("with every documented key", () => {
    const path = "test/fixtures/config/every-key.conf";
    let restore: () => void;
    before(() => {
      restore = setEveryKeyVariables();
    });
    after(() => restore());

    it("is read by both, with the same digest", () => {
      const { digest, options, warnings } = readConfigFile(path);
      assert.equal(real(path), `configuration file ${path} is valid (${digest})`);
      assert.deepEqual(warnings, []);
      resolveOptions(options);
    });

    it("says of each part that is not served that it is not", () => {
      const parts = readConfigFile(path).unserved.map(({ text }) => text.split(":")[0]);
      assert.deepEqual([...new Set(parts)].sort(), [
        "default_js_domain",
        "exports",
        "imports",
        "leafnodes",
        "mqtt",
        "nkey",
        "tpm",
      ]);
    });

    it("leaves no option unset that a file can set, but those that exclude others", () => {
      const { options } = readConfigFile(path);
      const given = new Set(Object.keys(options));
      const settable = BLOCKS.server
        .filter(({ keys, option }) => keys.length > 0 && option !== undefined && !option.includes("."))
        .map(({ option }) => option!);
      const unset = settable.filter((option) => !given.has(option)).sort();
      // One of http and https; empty names of files.
      assert.deepEqual(unset, ["https", "logFile", "pidFile", "portsFileDir"]);
    });
  });
});
