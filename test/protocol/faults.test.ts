/** What a server answers to a client that breaks a rule: nats-server's texts, quoted as Go quotes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CLOSED_REASONS } from "../../src/protocol/closed-reason.ts";
import {
  FAULTS,
  type ProtocolFault,
  publishViolation,
  quote,
  replyViolation,
  subscriptionViolation,
} from "../../src/protocol/faults.ts";

describe("quote", () => {
  // The right sides are what strconv.Quote (Go 1.26) gives.
  for (const [text, quoted] of [
    ["", '""'],
    ["foo.bar.*.>", '"foo.bar.*.>"'],
    [" ~", '" ~"'],
    ['a"b', '"a\\"b"'],
    ["a\\b", '"a\\\\b"'],
    ["it's", '"it\'s"'],
    ["\x07\b\t\n\v\f\r", '"\\a\\b\\t\\n\\v\\f\\r"'],
    ["\0\x01\x1f\x1b", '"\\x00\\x01\\x1f\\x1b"'],
    ["\x7f", '"\\x7f"'],
    ["\u0080\u0085\u009f", '"\\u0080\\u0085\\u009f"'],
    ["\u00a0", '"\\u00a0"'],
    ["\u00ad", '"\\u00ad"'],
    ["é¡ÿ", '"é¡ÿ"'],
    ["日本語", '"日本語"'],
    ["😀", '"😀"'],
    ["e\u0301", '"e\u0301"'],
    ["\u200b\u200d", '"\\u200b\\u200d"'],
    ["\u2028\u3000", '"\\u2028\\u3000"'],
    ["\ufeff", '"\\ufeff"'],
    ["\ufffd", '"\ufffd"'],
    ["\ue000", '"\\ue000"'],
    ["\uffff", '"\\uffff"'],
    ["\u{e0001}", '"\\U000e0001"'],
    ["\u{10ffff}", '"\\U0010ffff"'],
    // Bytes that are not UTF-8, as a subject's text holds them.
    ["a\udc80\udcffb", '"a\\x80\\xffb"'],
  ]) {
    it(quoted, () => assert.equal(quote(text), quoted));
  }
});

describe("violations", () => {
  it("have nats-server's words and leave the connection open", () => {
    for (const [fault, text] of [
      [publishViolation("foo"), 'Permissions Violation for Publish to "foo"'],
      [publishViolation('a"\x01'), 'Permissions Violation for Publish to "a\\"\\x01"'],
      [replyViolation("_R_.x"), 'Permissions Violation for Publish with Reply of "_R_.x"'],
      [subscriptionViolation("foo", undefined), 'Permissions Violation for Subscription to "foo"'],
      [subscriptionViolation("foo", "q"), 'Permissions Violation for Subscription to "foo" using queue "q"'],
    ] satisfies [ProtocolFault, string][]) {
      assert.deepEqual(fault, { text, close: undefined });
    }
  });
});

describe("the table of faults", () => {
  it("has texts that fit between quotes on one line, and nats-server's reasons", () => {
    for (const fault of Object.values(FAULTS) as ProtocolFault[]) {
      if (fault.text !== undefined) assert.match(fault.text, /^[^'\r\n]+$/);
      if (fault.close !== undefined) assert.ok(CLOSED_REASONS.includes(fault.close));
      assert.ok(fault.text !== undefined || fault.close !== undefined, "a fault is noticed");
    }
  });
});
