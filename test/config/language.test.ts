/** The configuration language: what a text becomes, where errors are, and that no text does any harm. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ConfigError } from "../../src/config/errors.ts";
import { digestOf } from "../../src/config/language/digest.ts";
import { parseFile, parseText } from "../../src/config/language/parse.ts";
import type { ConfigMap, ConfigValue } from "../../src/config/language/tree.ts";

type Files = Readonly<Record<string, string>>;

function source(files: Files = {}, variables: Files = {}) {
  return {
    readFile(path: string): string {
      if (files[path] === undefined) throw new Error(`open ${path}: no such file or directory`);
      return files[path];
    },
    env: (name: string) => variables[name],
  };
}

/** The values alone. */
function plain({ content }: ConfigValue): unknown {
  if (content.kind === "map") return plainMap(content.value);
  if (content.kind === "array") return content.value.map(plain);
  return content.kind === "integer" ? Number(content.value) : content.value;
}

function plainMap(map: ConfigMap): Record<string, unknown> {
  return Object.fromEntries([...map].map(([key, value]) => [key, plain(value)]));
}

function read(text: string, variables: Files = {}, files: Files = {}): Record<string, unknown> {
  return plainMap(parseText(text, "x.conf", source(files, variables)));
}

const TEXTS: readonly [what: string, text: string, value: Record<string, unknown>][] = [
  ["the three separators", "a = 1\nb: 2\nc 3", { a: 1, b: 2, c: 3 }],
  ["the terminators", "a = 1; b = 2, c = 3\nd=4", { a: 1, b: 2, c: 3, d: 4 }],
  ["comments", "# one\na: 1 # two\n// three\nb: 2 // four", { a: 1, b: 2 }],
  ["maps in maps", "a { b { c: 1 }\n d = 2 }", { a: { b: { c: 1 }, d: 2 } }],
  ["arrays over lines", "a: [\n  x # one\n  y, z\n]", { a: ["x", "y", "z"] }],
  ["maps in arrays", "a: [{b: 1}, {b: 2}]", { a: [{ b: 1 }, { b: 2 }] }],
  ["units of a thousand", "a: 1k, b: 2M, c: 3g", { a: 1_000, b: 2_000_000, c: 3_000_000_000 }],
  ["units of 1024", "a: 1kb, b: 2MiB, c: 3Gi", { a: 1_024, b: 2_097_152, c: 3_221_225_472 }],
  ["negative numbers and floats", "a: -1, b: 1.5, c: -2.25", { a: -1, b: 1.5, c: -2.25 }],
  ["words for true and false", "a: yes, b: Off, c: TRUE, d: no", { a: true, b: false, c: true, d: false }],
  ["dates", "a: 2026-01-02T03:04:05Z", { a: "2026-01-02T03:04:05Z" }],
  ["addresses", "a: 127.0.0.1:4222, b: 1.2.3.4", { a: "127.0.0.1:4222", b: "1.2.3.4" }],
  ["bare strings", "a: foo.*.>, b: 10s, c: nats://h:1", { a: "foo.*.>", b: "10s", c: "nats://h:1" }],
  ["quoted strings", `a: 'x\\n "y"', b: "x\\n\\"y\\"\\x41\\\\"`, { a: 'x\\n "y"', b: 'x\n"y"A\\' }],
  ["bytes of UTF-8", 'a: "\\xc3\\xa9é"', { a: "éé" }],
  ["quoted keys", "\"a b\": 1, 'c d': 2", { "a b": 1, "c d": 2 }],
  ["a block", "a: (\n one )\n two\n)\nb: 1", { a: "\n one )\n two\n", b: 1 }],
  ["a JSON object", '{\n  "a": {"b": [true, "x"]},\n  "c": 1\n}\n', { a: { b: [true, "x"] }, c: 1 }],
  ["the last of two", "a: 1\na: 2", { a: 2 }],
  ["a bcrypt hash without quotes", "a: $2a$11$abc./x", { a: "$2a$11$abc./x" }],
  ["a variable of its block", "v: 1\na { v: 2, x: $v }\ny: $v", { v: 1, a: { v: 2, x: 2 }, y: 1 }],
  ["a variable that is a map", "v { x: 1 }\na: $v", { v: { x: 1 }, a: { x: 1 } }],
  ["a variable in an array", "v: x\na: [ $v ]", { v: "x", a: ["x"] }],
];

describe("configuration language", () => {
  for (const [what, text, value] of TEXTS) it(`reads ${what}`, () => assert.deepEqual(read(text), value));

  it("keeps whole numbers exact to 64 bits", () => {
    const map = parseText("a: 9223372036854775807", "", source());
    assert.equal(map.get("a")?.content.value, 9223372036854775807n);
  });

  it("takes variables from the environment, as configuration text", () => {
    const variables = { N: "8k", S: "'a b'", A: "[x, y]", B: "$N" };
    assert.deepEqual(read("n: $N\ns: $S\na: $A\nb: $B", variables), {
      n: 8000,
      s: "a b",
      a: ["x", "y"],
      b: 8000,
    });
  });

  it("tells where values are, as nats-server counts", () => {
    const map = parseText("a: 1\n  bb: { c: 2\n\td: [ x ] }\n", "dir/f.conf", source());
    const at = ({ file, line, position }: ConfigValue) => `${file}:${line}:${position}`;
    const inner = map.get("bb")!.content.value as ConfigMap;
    assert.equal(at(map.get("a")!), "dir/f.conf:1:0");
    assert.equal(at(map.get("bb")!), "dir/f.conf:2:3");
    assert.equal(at(inner.get("c")!), "dir/f.conf:2:9");
    assert.equal(at(inner.get("d")!), "dir/f.conf:3:2");
  });

  it("marks what a variable refers to", () => {
    const map = parseText("v: 1\nw: 2\na: $v", "", source());
    assert.deepEqual(
      [...map].map(([key, { isVariable }]) => [key, isVariable]),
      [
        ["v", true],
        ["w", false],
        ["a", false],
      ],
    );
  });

  it("includes files relative to the one that names them", () => {
    const files = {
      "/etc/n/x.conf": "include 'sub/a.conf'\nm { include ./b.conf }",
      "/etc/n/sub/a.conf": "a: 1\ninclude ../c.conf",
      "/etc/n/b.conf": "b: 2",
      "/etc/n/c.conf": "c: 3",
    };
    const map = parseFile("/etc/n/x.conf", source(files));
    assert.deepEqual(plainMap(map), { a: 1, c: 3, m: { b: 2 } });
    assert.equal(map.get("c")?.file, "/etc/n/c.conf");
  });
});

const WRONG: readonly [text: string, error: string | RegExp][] = [
  ["a", "config is invalid (x.conf:1:1)"],
  ["a: [1", /^Parse error on line 1: 'Expected an array value terminator ","/],
  ["a: {b: 1", /^Parse error on line 1: 'Expected a map value terminator "," or a map terminator "}"/],
  ['a: "\\q"', /^Parse error on line 1: 'Invalid escape character 'q'/],
  ["a: 99999999999999999999", "integer '99999999999999999999' is out of the range"],
  ["a: 2026-13-01T00:00:00Z", "expected Zulu formatted DateTime, but got '2026-13-01T00:00:00Z'"],
  ["a: $nowhere", "variable reference for 'nowhere' on line 1 can not be found"],
  [
    "a: $LOOP",
    "variable reference for 'LOOP' on line 1 could not be parsed: variable reference for 'LOOP' on line 1 could not be parsed: variable reference cycle for 'LOOP'",
  ],
  ["include 'no.conf'", "error parsing include file 'no.conf', open no.conf: no such file or directory"],
  ["include 'self.conf'", /files include each other more than 50 deep$/],
  ["include 'wide.conf'", /more than 1000 files are included$/],
  [`a: ${"[".repeat(100_000)}`, "maps and arrays are nested more than 500 deep"],
  [`a ${"{ b ".repeat(100_000)}`, "maps and arrays are nested more than 500 deep"],
];

describe("configuration language, wrong", () => {
  const files = {
    "self.conf": "include 'self.conf'",
    "wide.conf": "include 'wider.conf'\n".repeat(50),
    "wider.conf": "include 'leaf.conf'\n".repeat(50),
    "leaf.conf": "a: 1",
  };
  for (const [text, expected] of WRONG) {
    it(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
      assert.throws(
        () => read(text, { LOOP: "$LOOP" }, files),
        (error: unknown) => {
          assert.ok(error instanceof ConfigError);
          if (typeof expected === "string") assert.equal(error.message, expected);
          else assert.match(error.message, expected);
          return true;
        },
      );
    });
  }

  it("says so when variables multiply it beyond measure, or nest it too deep", () => {
    const wider = Array.from({ length: 40 }, (_, i) => `v${i + 1}: [ $v${i}, $v${i} ]`).join("\n");
    const deep = (from: string): string => "[ ".repeat(400) + from + " ]".repeat(400);
    const deeper = Array.from({ length: 40 }, (_, i) => `v${i + 1}: ${deep(`$v${i}`)}`).join("\n");
    for (const text of [`v0: x\n${wider}`, `v0: x\n${deeper}`]) {
      const map = parseText(text, "", source());
      assert.throws(() => digestOf(map, () => ""), ConfigError);
    }
  });

  it("reads any text, or throws a ConfigError", () => {
    const piece = fc.constantFrom(
      ..."a b 1 2k - . , ; : = # // { } [ ] ( ) \" ' \\ \\x4 $ $a include true é \n \t \0 2016-05-04T".split(
        " ",
      ),
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(" ")),
      fc.array(piece).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          digestOf(parseText(given, "", source()), (bytes) =>
            createHash("sha256").update(bytes).digest("hex"),
          );
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
