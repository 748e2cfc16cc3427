/** The configuration language, compared with what `nats-server -t` says of the same files. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { ConfigError } from "../../src/config/errors.ts";
import { digestOf } from "../../src/config/language/digest.ts";
import { parseFile } from "../../src/config/language/parse.ts";

const folder = mkdtempSync(join(tmpdir(), "gnatlet-language-"));
after(() => rmSync(folder, { recursive: true }));
const environment: Record<string, string> = {
  TEST_NUMBER: "8k",
  TEST_LIST: "[a, b]",
  TEST_LOOP: "$TEST_LOOP",
};

/** What the real server says of a text: its digest, or what is wrong. */
function real(path: string): string {
  const { stderr } = spawnSync(process.env.NATS_SERVER!, ["-t", "-c", path], {
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  return /\((sha256:[0-9a-f]+)\)/.exec(stderr)?.[1] ?? stderr.replace(/^nats-server: /, "").trimEnd();
}

function ours(path: string): string {
  const readFile = (name: string): Uint8Array => {
    try {
      return readFileSync(name);
    } catch {
      throw new Error(`open ${name}: no such file or directory`);
    }
  };
  try {
    const map = parseFile(path, { readFile, env: (name) => environment[name] });
    return digestOf(map, (bytes) => createHash("sha256").update(bytes).digest("hex"));
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
}

function compare(text: string): string {
  const path = join(folder, "x.conf");
  writeFileSync(path, text);
  const says = ours(path);
  assert.equal(says, real(path), text);
  return says;
}

/** nats-server looks at nothing in a resolver but what it knows, so anything of the language may stand there. */
const within = (text: string): string => `resolver { type: MEM\n${text}\n}`;

const RIGHT = [
  "port: 4222\nserver_tags: [a, b]",
  '{\n  "port": 4222,\n  "server_metadata": {"a": "<b>", "c": "\u2028"}\n}\n',
  "v: x\nserver_name: $v # a comment\n// another",
  "host = 127.0.0.1; port = -1; max_payload: 1MB, max_pending: 64Mi",
  "include 'included.conf'\nport: 1",
  within("a: 1k, b: 1kb, c: 1e, d: -5, e: 9223372036854775807, f: 9e"),
  within("a: 1.5, b: -0.0, c: 0.0000001234, d: 100000000000000000000000.5, e: 123456.789"),
  within("a: 2026-01-02T03:04:05Z\nb: yes, c: OFF, d: on"),
  within('a: "x\\t\\n\\r\\"\\\\\\x41\\xc3\\xa9\\xff"\nb: \'a\\b\''),
  within("a: (\n raw { text # all of it\n)\nb: 1"),
  within("a: [ x, y\n z # c\n {b: [true]} [] {} ]".replaceAll("[]", ",[]").replace("{}", ",{}")),
  within("a: $TEST_NUMBER, b: $TEST_LIST, c: $2a$11$abcdefg, d: [ $TEST_LIST ]"),
  within("a { v: 1, b { c: $v } }\n😀: 1\n\uffff: 2\nz\u00a0: 3"),
  within("a: 127.0.0.1:80, b: 10s, d: 12abc, e: nats://a:1"),
];

const BROKEN = [
  "a",
  "a: \n",
  "= 1",
  "a: [1]",
  "a: [x,,y]",
  "a: [x",
  "a: {b: 1",
  "a: {b",
  "a: {= 1}",
  "a: {b: ,}",
  "a: {]}",
  'a: "\\q"',
  'a: "\\xZZ"',
  'a: "\\x1\n"',
  'a: "open',
  "a: 'open",
  "a: (\n open",
  "a: .5",
  "a: 1.x",
  "a: -x",
  "a: -.5",
  "a: 99999999999999999999",
  "a: 12-34",
  "a: 2026-01-02",
  "a: 2026-01-02X03:04:05Z",
  "a: 2026-13-02T03:04:05Z",
  "a: x y",
  "a {b: x y}",
  "{ a: x y }",
  "{ a: 1 ",
  "a: $NO_SUCH_VARIABLE_HERE",
  "a: $TEST_LOOP",
  "include 'no.conf'",
  "include [",
  "include 5",
  "include broken.conf",
  "/ a: 1",
  "a: 1 / b",
];

describe("configuration language beside nats-server", () => {
  writeFileSync(join(folder, "included.conf"), "server_name: included\nmax_payload: 1k");
  writeFileSync(join(folder, "broken.conf"), "a: [");

  for (const text of RIGHT) {
    it(`digest of ${JSON.stringify(text)}`, () => assert.match(compare(text), /^sha256:/));
  }
  for (const text of BROKEN) {
    it(`error of ${JSON.stringify(text)}`, () => assert.doesNotMatch(compare(text), /^sha256:/));
  }
});
