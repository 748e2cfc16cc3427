/** A message says the same in both of its forms, keeps a lasting copy once, and forgets the last message when it is filled again. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Message } from "../../src/protocol/message.ts";
import { Slab } from "../../src/protocol/slab.ts";
import { assertSame, bytesOf, latin1, utf8 } from "../support/protocol-bytes.ts";
import { fc } from "../support/protocol-check.ts";
import { blob, publication } from "../support/protocol-script.ts";

/** What a message says, as a reader of it finds it. */
function said(message: Message): object {
  const { bytes, start, body, end, text } = message;
  return {
    subject: message.subject,
    reply: message.hasReply ? message.reply : undefined,
    headers: latin1(bytes, start, body),
    payload: latin1(bytes, body, end) + (text ?? ""),
  };
}

/** What holds for every message in the value form. */
function checkValueForm(message: Message): void {
  assert.equal(message.onWire, false);
  assert.equal(message.hasHeaders, message.body > message.start);
  assert.equal(message.headerSize, message.body - message.start);
  if (message.text !== undefined) {
    assert.equal(message.body, message.end, "a payload is in one place");
    assert.match(message.text, /^[\0-\x7f]*$/);
  }
  assert.equal(message.size, message.end - message.start + (message.text ?? "").length);
}

describe("setValue", () => {
  const message = new Message(new Slab());

  it("takes any payload, headers and reply", () => {
    fc.assert(
      fc.property(publication, fc.boolean(), ({ subject, reply, headers, payload }, asText) => {
        message.setValue(
          subject,
          reply,
          headers === undefined ? undefined : bytesOf(headers),
          asText ? payload : bytesOf(payload),
        );
        checkValueForm(message);
        assert.deepEqual(said(message), {
          subject,
          reply,
          headers: headers ?? "",
          payload: asText ? utf8(payload) : payload,
        });
      }),
      { numRuns: 500 },
    );
  });

  it("leaves an ASCII payload a string, and encodes another", () => {
    message.setValue("s", undefined, undefined, "ascii");
    assert.equal(message.text, "ascii");
    assert.equal(message.size, 5);
    message.setValue("s", undefined, undefined, "é");
    assert.equal(message.text, undefined);
    assert.deepEqual(message.bytes, bytesOf("\xc3\xa9"));
    message.setValue("s", undefined, bytesOf("hh"), "ascii");
    assert.equal(message.text, "ascii");
    assert.equal(message.size, 7);
    message.setValue("s", undefined, bytesOf("hh"), "");
    assert.equal(message.size, 2);
  });

  it("writes a lone surrogate of a payload as every client does", () => {
    message.setValue("s", undefined, undefined, "a\ud800\udc80x\udcff");
    assert.deepEqual(said(message), {
      subject: "s",
      reply: undefined,
      headers: "",
      payload: utf8("a\u{10080}x\ufffd"),
    });
  });

  it("takes no reply and an empty one as none", () => {
    for (const reply of [undefined, ""]) {
      message.setValue("s", reply, undefined, "");
      assert.equal(message.hasReply, false);
      assert.equal(message.reply, "");
    }
  });

  it("takes an empty header block as none", () => {
    message.setValue("s", undefined, new Uint8Array(0), "x");
    assert.equal(message.hasHeaders, false);
    assert.equal(message.headerSize, 0);
  });

  it("does not write in what it was given", () => {
    const headers = bytesOf("headers");
    const payload = bytesOf("payload");
    message.setValue("s", "r", headers, payload);
    message.keep();
    assert.equal(latin1(headers) + latin1(payload), "headerspayload");
  });

  it("forgets the message before", () => {
    message.setValue("s", "reply", bytesOf("headers"), "payload");
    message.keep();
    message.setValue("t", undefined, undefined, "");
    checkValueForm(message);
    assert.deepEqual(said(message), { subject: "t", reply: undefined, headers: "", payload: "" });
    message.keep();
    assert.equal(message.keptBytes.length, 0);
  });
});

describe("setWire", () => {
  it("forgets the message before", () => {
    const message = new Message(new Slab());
    message.setValue("s", "reply", undefined, "payload");
    const bytes = bytesOf("PUB foo bar 2\r\nhi\r\n");
    message.setWire(bytes);
    message.hasReply = true;
    message.replyStart = 8;
    message.replyEnd = 11;
    assert.equal(message.onWire, true);
    assert.equal(message.text, undefined);
    assert.equal(message.reply, "bar");
    message.setWire(bytes);
    message.replyStart = 4;
    message.replyEnd = 7;
    assert.equal(message.reply, "foo");
    message.setWire(bytes);
    message.hasReply = false;
    assert.equal(message.reply, "");
  });
});

describe("keep", () => {
  const kept = (message: Message): string =>
    latin1(message.keptBytes, message.keptStart, message.keptStart + message.end - message.start);

  it("copies headers and payload once, for good", () => {
    const message = new Message(new Slab());
    const copies: [bytes: Uint8Array, at: number, text: string][] = [];
    fc.assert(
      fc.property(blob, blob, fc.boolean(), (headers, payload, wire) => {
        const text = headers + payload;
        const source = bytesOf(`..${text}..`);
        if (wire) {
          message.setWire(source);
          message.start = 2;
          message.body = 2 + headers.length;
          message.end = 2 + text.length;
        } else {
          message.setValue(
            "s",
            undefined,
            headers === "" ? undefined : source.subarray(2, 2 + headers.length),
            source.subarray(2 + headers.length, 2 + text.length),
          );
        }
        message.keep();
        assertSame(kept(message), text, "the copy");
        const { keptBytes, keptStart } = message;
        source.fill(0xaa);
        message.keep();
        assert.equal(message.keptBytes, keptBytes);
        assert.equal(message.keptStart, keptStart);
        assertSame(kept(message), text, "a copy lasts");
        copies.push([keptBytes, keptStart, text]);
      }),
      { numRuns: 300 },
    );
    for (const [bytes, at, text] of copies) {
      assertSame(latin1(bytes, at, at + text.length), text, "a copy lasts");
    }
  });

  it("lasts for a large payload in one of Node's Buffers, which its owner writes in again", () => {
    const message = new Message(new Slab());
    const payload = Buffer.alloc(10_000, "a");
    message.setValue("s", undefined, undefined, payload);
    message.keep();
    payload.fill("b");
    assertSame(kept(message), "a".repeat(10_000), "a copy lasts");
  });
});
