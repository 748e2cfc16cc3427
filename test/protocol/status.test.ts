/** The header block of "no responders" has exactly nats-server's bytes. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { noRespondersHeaders } from "../../src/protocol/status.ts";
import { latin1, utf8 } from "../support/protocol-bytes.ts";

for (const [subject, wire] of [
  ["foo.bar", "foo.bar"],
  ["a", "a"],
  ["", ""],
  ["日.é", utf8("日.é")],
  ["a\udcff", "a\xff"],
  ["x".repeat(3_000), "x".repeat(3_000)],
] as const) {
  it(`names ${JSON.stringify(subject.slice(0, 20))}`, () => {
    assert.equal(latin1(noRespondersHeaders(subject)), `NATS/1.0 503\r\nNats-Subject: ${wire}\r\n\r\n`);
  });
}
