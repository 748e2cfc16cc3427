/** Which subjects are valid, which are literal, and which hold wildcards. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  hasWildcards,
  isLiteralSubject,
  isProtocolToken,
  isValidSubject,
} from "../../src/protocol/subject.ts";
import { fc } from "../support/protocol-check.ts";

describe("subjects", () => {
  for (const [subject, valid, literal, wildcards] of [
    ["foo", true, true, false],
    ["foo.bar", true, true, false],
    ["foo.bar.baz", true, true, false],
    ["a", true, true, false],
    ["日本.é", true, true, false],
    ["$SYS._x-1", true, true, false],
    ["*", true, false, true],
    [">", true, false, true],
    ["foo.*", true, false, true],
    ["foo.>", true, false, true],
    ["*.foo", true, false, true],
    ["foo.*.bar", true, false, true],
    ["*.*.>", true, false, true],
    // A wildcard is one only when it is the whole token.
    ["foo*", true, true, false],
    ["*foo", true, true, false],
    ["f*o.bar", true, true, false],
    ["foo>", true, true, false],
    [">foo", true, true, false],
    [">>", true, true, false],
    ["**", true, true, false],
    ["*>.>*", true, true, false],
    ["foo.>>.bar", true, true, false],
    ["**.*", true, false, true],
    [">>.>", true, false, true],
    // `>` only at the end.
    [">.foo", false, false, true],
    ["foo.>.bar", false, false, true],
    ["foo.>.", false, false, true],
    // No empty token.
    ["", false, false, false],
    [".", false, false, false],
    [".foo", false, false, false],
    ["foo.", false, false, false],
    ["foo..bar", false, false, false],
    ["..*", false, false, true],
    [".>", false, false, true],
  ] as const) {
    it(JSON.stringify(subject), () => {
      assert.equal(isValidSubject(subject), valid, "valid");
      assert.equal(isLiteralSubject(subject), literal, "literal");
      assert.equal(hasWildcards(subject), wildcards, "wildcards");
    });
  }

  it("are judged token by token", () => {
    const subject = fc.string({ unit: fc.constantFrom("a", ".", "*", ">", "é"), maxLength: 12 });
    fc.assert(
      fc.property(subject, (subject) => {
        const tokens = subject.split(".");
        const wild = tokens.some((token) => token === "*" || token === ">");
        const whole = tokens.every((token) => token !== "");
        assert.equal(isValidSubject(subject), whole && !tokens.slice(0, -1).includes(">"));
        assert.equal(isLiteralSubject(subject), whole && !wild);
        assert.equal(hasWildcards(subject), wild);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("isProtocolToken", () => {
  it("takes what the protocol's separators leave", () => {
    for (const token of [
      "a",
      "foo.bar",
      "*",
      ">",
      "é",
      "日本",
      "\0",
      "\v",
      "\x7f",
      "\u00a0",
      "\u2028",
      "\udcff",
    ]) {
      assert.equal(isProtocolToken(token), true, JSON.stringify(token));
    }
    for (const other of ["", " ", "a b", "a\tb", "a\r", "\na", "a\fb", " a", "a "]) {
      assert.equal(isProtocolToken(other), false, JSON.stringify(other));
    }
  });
});
