/** What our client says becomes the right bytes: exact ones for a few, and for all such that a server reads what was said. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClientVerbWriter } from "../../src/protocol/client-writer.ts";
import { Message } from "../../src/protocol/message.ts";
import { Slab } from "../../src/protocol/slab.ts";
import type { ClientVerbs } from "../../src/protocol/verbs.ts";
import { assertSame, bytesOf, latin1, utf8 } from "../support/protocol-bytes.ts";
import { fc } from "../support/protocol-check.ts";
import { type ClientCall, readClient } from "../support/protocol-recorder.ts";
import { blob, chunkSizes, connectOptions, subject, token } from "../support/protocol-script.ts";
import { written } from "../support/protocol-sinks.ts";

/** What the writer makes of what is said. */
function say(speak: (verbs: ClientVerbs) => void): string {
  return latin1(written((out) => speak(new ClientVerbWriter(out))));
}

function message(
  subject: string,
  reply: string | undefined,
  headers: string | undefined,
  payload: Uint8Array | string,
): Message {
  const message = new Message(new Slab());
  message.setValue(subject, reply, headers === undefined ? undefined : bytesOf(headers), payload);
  return message;
}

describe("exact bytes", () => {
  const large = "x".repeat(100_000);
  for (const [expected, speak] of [
    ["PING\r\n", (to) => to.ping()],
    ["PONG\r\n", (to) => to.pong()],
    ['CONNECT {"verbose":false,"name":"a"}\r\n', (to) => to.connect({ verbose: false, name: "a" })],
    [`CONNECT {"name":"${utf8("é日")}"}\r\n`, (to) => to.connect({ name: "é日" })],
    ["SUB foo 1\r\n", (to) => to.sub("foo", undefined, 1)],
    ["SUB foo q abc\r\n", (to) => to.sub("foo", "q", "abc")],
    [`SUB ${utf8("日.>")} 7\r\n`, (to) => to.sub("日.>", undefined, 7)],
    ["UNSUB 1\r\n", (to) => to.unsub(1, undefined)],
    ["UNSUB abc 5\r\n", (to) => to.unsub("abc", 5)],
    ["PUB foo 5\r\nhello\r\n", (to) => to.pub(message("foo", undefined, undefined, "hello"))],
    ["PUB foo 5\r\nhello\r\n", (to) => to.pub(message("foo", "", undefined, bytesOf("hello")))],
    ["PUB foo re.ply 0\r\n\r\n", (to) => to.pub(message("foo", "re.ply", undefined, ""))],
    ["PUB foo 0\r\n\r\n", (to) => to.pub(message("foo", undefined, bytesOf("") && "", new Uint8Array(0)))],
    [`PUB foo 3\r\n${utf8("日")}\r\n`, (to) => to.pub(message("foo", undefined, undefined, "日"))],
    [`PUB ${utf8("é")} ${utf8("ü")} 1\r\nx\r\n`, (to) => to.pub(message("é", "ü", undefined, "x"))],
    ["PUB a\xff 1\r\nx\r\n", (to) => to.pub(message("a\udcff", undefined, undefined, "x"))],
    [
      "HPUB foo 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
      (to) => to.pub(message("foo", undefined, "NATS/1.0\r\n\r\n", "hi")),
    ],
    ["HPUB foo re 2 2\r\nab\r\n", (to) => to.pub(message("foo", "re", "ab", ""))],
    [`HPUB foo 2 5\r\nab${utf8("日")}\r\n`, (to) => to.pub(message("foo", undefined, "ab", "日"))],
    [`PUB foo 100000\r\n${large}\r\n`, (to) => to.pub(message("foo", undefined, undefined, large))],
    [`HPUB foo 2 100002\r\nab${large}\r\n`, (to) => to.pub(message("foo", undefined, "ab", bytesOf(large)))],
  ] satisfies [string, (to: ClientVerbs) => void][]) {
    it(JSON.stringify(expected.slice(0, 60)), () => assertSame(say(speak), expected, "what is sent"));
  }

  it("of a payload around the length from which it is not written character by character", () => {
    for (let length = 60; length < 70; length++) {
      const payload = "p".repeat(length);
      assert.equal(
        say((to) => to.pub(message("foo", undefined, undefined, payload))),
        `PUB foo ${length}\r\n${payload}\r\n`,
      );
    }
  });

  it("of messages on changing subjects", () => {
    const said = say((to) => {
      for (const name of ["a", "a", "b", "é", "é", "a"]) to.pub(message(name, undefined, undefined, ""));
    });
    const of = (name: string): string => `PUB ${utf8(name)} 0\r\n\r\n`;
    assert.equal(said, [..."aabééa"].map(of).join(""));
  });
});

/** A payload as bytes or as a string, and what its bytes are. */
const payload = fc.oneof(
  blob.map((text) => ({ given: bytesOf(text) as Uint8Array | string, bytes: text })),
  fc
    .oneof(
      fc.string({ unit: "binary", maxLength: 100 }),
      fc.string({ unit: "binary-ascii", maxLength: 200 }),
      fc.integer({ min: 0, max: 5000 }).map((length) => "0123456789".repeat(length / 10)),
      fc.constant("日本".repeat(30_000)),
      fc.constant("ascii ".repeat(30_000)),
    )
    .map((text) => ({ given: text as Uint8Array | string, bytes: utf8(text) })),
);

/** Something that a client says, and the call that the server gets. */
const saying: fc.Arbitrary<{ speak(to: ClientVerbs): void; call: ClientCall }> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        subject,
        reply: fc.option(subject, { nil: undefined }),
        headers: fc.option(blob, { nil: undefined }),
        payload,
      })
      .map(({ subject, reply, headers, payload }) => ({
        speak: (to: ClientVerbs) => to.pub(message(subject, reply, headers, payload.given)),
        call: {
          verb: "pub" as const,
          subject,
          reply,
          headers: headers ?? "",
          payload: payload.bytes,
          run: true,
        },
      })),
  },
  fc
    .record({ subject, queue: fc.option(token, { nil: undefined }), sid: fc.oneof(token, fc.nat()) })
    .map(({ subject, queue, sid }) => ({
      speak: (to: ClientVerbs) => to.sub(subject, queue, sid),
      call: { verb: "sub" as const, subject, queue, sid: String(sid) },
    })),
  fc
    .record({
      sid: fc.oneof(token, fc.nat()),
      max: fc.option(fc.integer({ min: 1, max: 999_999_999 }), { nil: undefined }),
    })
    .map(({ sid, max }) => ({
      speak: (to: ClientVerbs) => to.unsub(sid, max),
      call: { verb: "unsub" as const, sid: String(sid), max },
    })),
  connectOptions.map((options) => ({
    speak: (to: ClientVerbs) => to.connect(options),
    call: { verb: "connect" as const, options: { ...options } },
  })),
  fc.constantFrom("ping" as const, "pong" as const).map((verb) => ({
    speak: (to: ClientVerbs) => to[verb](),
    call: { verb },
  })),
);

describe("a server", () => {
  it("reads many messages with long names that were written one after the other", () => {
    // Their lines end at every place of an array: one that asks for too little room would lose bytes there.
    const names = fc.record({
      subject: fc.integer({ min: 1, max: 700 }),
      reply: fc.integer({ min: 0, max: 700 }),
      headers: fc.integer({ min: 0, max: 30 }),
      payload: fc.integer({ min: 0, max: 100 }),
      text: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(names, { minLength: 10, maxLength: 150 }), (messages) => {
        let expected = "";
        const said = say((to) => {
          for (const { subject, reply, headers, payload, text } of messages) {
            const [name, answer, block, body] = ["n", "r", "h", "p"].map((char, i) =>
              char.repeat([subject, reply, headers, payload][i]),
            );
            to.pub(message(name, answer, block, text ? body : bytesOf(body)));
            const args = [
              name,
              ...(reply > 0 ? [answer] : []),
              ...(headers > 0 ? [headers] : []),
              headers + payload,
            ];
            expected += `${headers > 0 ? "H" : ""}PUB ${args.join(" ")}\r\n${block}${body}\r\n`;
          }
        });
        assertSame(said, expected, "what is sent");
      }),
      { numRuns: 60 },
    );
  });

  it("reads what was said, at any split", () => {
    fc.assert(
      fc.property(fc.array(saying, { maxLength: 10 }), chunkSizes, (sayings, sizes) => {
        const bytes = bytesOf(
          say((to) => {
            for (const { speak } of sayings) speak(to);
          }),
        );
        assert.deepEqual(
          readClient(bytes, {}, bytes.length > 50_000 ? [1_000, 70_001] : sizes),
          sayings.map(({ call }) => call),
        );
      }),
      { numRuns: 300 },
    );
  });
});
