/** Sizes and arguments of control lines, and what a log shows of bytes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseSize, snippet, splitArguments } from "../../src/protocol/line.ts";
import { bytesOf } from "../support/protocol-bytes.ts";
import { fc } from "../support/protocol-check.ts";

describe("parseSize", () => {
  const size = (text: string): number => parseSize(bytesOf(`1${text}2`), 1, 1 + text.length);

  it("reads up to nine decimal digits", () => {
    for (const [text, value] of [
      ["0", 0],
      ["5", 5],
      ["42", 42],
      ["000", 0],
      ["007", 7],
      ["000000001", 1],
      ["999999999", 999_999_999],
    ] as const) {
      assert.equal(size(text), value);
    }
  });

  it("refuses all else", () => {
    for (const text of [
      "",
      "0000000000",
      "1000000000",
      "-1",
      "+1",
      "1.0",
      "1e3",
      "0x1",
      " 1",
      "1 ",
      "a",
      "/",
      ":",
      "\xb2",
      "٣",
    ]) {
      assert.equal(size(text), -1, JSON.stringify(text));
    }
    assert.equal(parseSize(bytesOf("12"), 1, 0), -1);
  });

  it("agrees with the numbers", () => {
    fc.assert(fc.property(fc.nat(999_999_999), (value) => assert.equal(size(String(value)), value)));
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii", maxLength: 11 }), (text) => {
        assert.equal(size(text), /^[0-9]{1,9}$/.test(text) ? Number(text) : -1);
      }),
    );
  });
});

describe("splitArguments", () => {
  it("splits at runs of space, tab, CR and LF", () => {
    const argument = fc.string({
      unit: fc.constantFrom("a", "*", ".", "é", "\v", "\0", "日"),
      minLength: 1,
      maxLength: 5,
    });
    const gap = fc.string({ unit: fc.constantFrom(" ", "\t", "\r", "\n"), minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(argument, gap), { maxLength: 5 }),
        fc.option(gap),
        argument,
        (pairs, first, last) => {
          const text = `${first ?? ""}${pairs.flat().join("")}${last}`;
          const bytes = new TextEncoder().encode(`x${text}x`);
          assert.deepEqual(splitArguments(bytes, 1, bytes.length - 1), [
            ...pairs.map(([argument]) => argument),
            last,
          ]);
        },
      ),
    );
  });

  it("finds none in nothing", () => {
    assert.deepEqual(splitArguments(bytesOf("abc"), 1, 1), []);
    assert.deepEqual(splitArguments(bytesOf(" \t\r\n"), 0, 4), []);
  });
});

describe("snippet", () => {
  it("shows the first bytes on one line", () => {
    assert.equal(snippet(bytesOf("PUB foo\r\n\0"), 0, 10), '"PUB foo\\r\\n\\u0000"');
    assert.equal(snippet(bytesOf("PUB foo\r\n"), 4, 7), '"foo"');
    assert.equal(snippet(bytesOf("x".repeat(1_000)), 10, 1_000), `"${"x".repeat(32)}"`);
    assert.equal(snippet(bytesOf("a\xff"), 0, 2), '"a\\udcff"');
  });
});
