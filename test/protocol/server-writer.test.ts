/**
 * What a server says becomes the right bytes: the exact ones of nats-server, from both forms of a message, for clients with and
 * without headers; and our own client reads what was said.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BufferPool } from "../../src/protocol/buffer-pool.ts";
import { ClientVerbReader } from "../../src/protocol/client-reader.ts";
import type { ServerInfo } from "../../src/protocol/info.ts";
import { Message } from "../../src/protocol/message.ts";
import { Outbox } from "../../src/protocol/outbox.ts";
import { ServerVerbWriter } from "../../src/protocol/server-writer.ts";
import { Slab } from "../../src/protocol/slab.ts";
import { encodeText } from "../../src/protocol/text.ts";
import type { Sid } from "../../src/protocol/verbs.ts";
import { assertSame, bytesOf, latin1, utf8 } from "../support/protocol-bytes.ts";
import { fc } from "../support/protocol-check.ts";
import { ClientRecorder, readServer, type ServerCall, WIDE } from "../support/protocol-recorder.ts";
import { blob, chunkSizes, element, publication, spell, token } from "../support/protocol-script.ts";
import { CollectingSink, written } from "../support/protocol-sinks.ts";

/** What the writer makes of what is said. */
function say(headers: boolean, speak: (to: ServerVerbWriter) => void): string {
  return latin1(
    written((out) => {
      const writer = new ServerVerbWriter(out);
      writer.headers = headers;
      speak(writer);
    }),
  );
}

const INFO: ServerInfo = {
  server_id: "N",
  server_name: "é",
  version: "2.14.0",
  proto: 1,
  go: "node",
  host: "0.0.0.0",
  port: 4222,
  headers: true,
  max_payload: 1048576,
  client_id: 5,
};

describe("exact bytes of lines", () => {
  for (const [expected, speak] of [
    ["+OK\r\n", (to) => to.ok()],
    ["PING\r\n", (to) => to.ping()],
    ["PONG\r\n", (to) => to.pong()],
    ["-ERR 'Stale Connection'\r\n", (to) => to.err("Stale Connection")],
    [`-ERR '"${utf8("é")}"'\r\n`, (to) => to.err('"é"')],
    [
      // There is a space before the line end.
      `INFO {"server_id":"N","server_name":"${utf8("é")}","version":"2.14.0","proto":1,"go":"node",` +
        '"host":"0.0.0.0","port":4222,"headers":true,"max_payload":1048576,"client_id":5} \r\n',
      (to) => to.info(INFO),
    ],
  ] satisfies [string, (to: ServerVerbWriter) => void][]) {
    it(JSON.stringify(expected), () => assert.equal(say(true, speak), expected));
  }
});

/** What a server with one subscription on everything sends for what a publisher sends. */
function handOn(
  input: string | Uint8Array,
  sid: Sid,
  headers: boolean,
  sizes = [Number.POSITIVE_INFINITY],
): string {
  return say(headers, (writer) => {
    const verbs = new ClientRecorder();
    verbs.pub = (message) => writer.msg({ sid }, message);
    const reader = new ClientVerbReader(verbs, new Message(new Slab()), WIDE, new BufferPool());
    const bytes = typeof input === "string" ? bytesOf(input) : input;
    for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]) {
      reader.read(bytes.slice(at, at + sizes[i % sizes.length]));
    }
    assert.deepEqual(
      verbs.calls.filter((call) => call.verb === "fault"),
      [],
    );
  });
}

describe("exact bytes of a message that came by bytes", () => {
  for (const [input, sid, withHeaders, without] of [
    ["PUB foo 5\r\nhello\r\n", 1, "MSG foo 1 5\r\nhello\r\n"],
    ["PUB foo bar 5\r\nhello\r\n", 1, "MSG foo 1 bar 5\r\nhello\r\n"],
    ["PUB foo 0\r\n\r\n", "sid", "MSG foo sid 0\r\n\r\n"],
    [`PUB ${utf8("é")} 1\r\nx\r\n`, "日", `MSG ${utf8("é")} ${utf8("日")} 1\r\nx\r\n`],
    ["PUB a\xff b\xfe 1\r\nx\r\n", "\udcfd", "MSG a\xff \xfd b\xfe 1\r\nx\r\n"],
    // The separators are the server's, the sizes the publisher's.
    ["pub\t foo  \t bar   005 \nhello\r\n", 7, "MSG foo 7 bar 005\r\nhello\r\n"],
    ["PUB foo 000\n\r\n", 7, "MSG foo 7 000\r\n\r\n"],
    ["PUB foo 005\r\nhello\r\n", 7, "MSG foo 7 005\r\nhello\r\n"],
    ["HPUB foo 2 4\r\nabhi\r\n", 1, "HMSG foo 1 2 4\r\nabhi\r\n", "MSG foo 1 2\r\nhi\r\n"],
    ["HPUB foo bar 2 2\r\nab\r\n", 1, "HMSG foo 1 bar 2 2\r\nab\r\n", "MSG foo 1 bar 0\r\n\r\n"],
    ["HPUB foo bar 02 004\r\nabhi\r\n", 1, "HMSG foo 1 bar 02 004\r\nabhi\r\n", "MSG foo 1 bar 2\r\nhi\r\n"],
    ["hpub\tfoo  02\t 004\nabhi\r\n", 1, "HMSG foo 1 02 004\r\nabhi\r\n", "MSG foo 1 2\r\nhi\r\n"],
    // No header bytes: no headers.
    ["HPUB foo 0 2\r\nhi\r\n", 1, "MSG foo 1 2\r\nhi\r\n"],
    ["HPUB foo bar 00 02\r\nhi\r\n", 1, "MSG foo 1 bar 02\r\nhi\r\n"],
  ] satisfies [string, Sid, string, string?][]) {
    it(JSON.stringify(input), () => {
      for (const sizes of [[Number.POSITIVE_INFINITY], [1], [5]]) {
        assert.equal(handOn(input, sid, true, sizes), withHeaders);
        assert.equal(handOn(input, sid, false, sizes), without ?? withHeaders);
      }
    });
  }
});

describe("exact bytes of a message that came as values", () => {
  const make = (
    subject: string,
    reply: string | undefined,
    headers: string | undefined,
    payload: string | Uint8Array,
  ): Message => {
    const message = new Message(new Slab());
    message.setValue(subject, reply, headers === undefined ? undefined : bytesOf(headers), payload);
    return message;
  };
  for (const [name, message, withHeaders, without] of [
    ["text", make("foo", undefined, undefined, "hello"), "MSG foo 1 5\r\nhello\r\n"],
    ["bytes", make("foo", undefined, undefined, bytesOf("hello")), "MSG foo 1 5\r\nhello\r\n"],
    ["nothing", make("foo", "", undefined, ""), "MSG foo 1 0\r\n\r\n"],
    [
      "text that is not ASCII",
      make("é", "ü", undefined, "日"),
      `MSG ${utf8("é")} 1 ${utf8("ü")} 3\r\n${utf8("日")}\r\n`,
    ],
    [
      "headers and text",
      make("foo", "r", "ab", "hi"),
      "HMSG foo 1 r 2 4\r\nabhi\r\n",
      "MSG foo 1 r 2\r\nhi\r\n",
    ],
    [
      "headers and bytes",
      make("foo", "r", "ab", bytesOf("hi")),
      "HMSG foo 1 r 2 4\r\nabhi\r\n",
      "MSG foo 1 r 2\r\nhi\r\n",
    ],
    ["headers only", make("foo", undefined, "ab", ""), "HMSG foo 1 2 2\r\nab\r\n", "MSG foo 1 0\r\n\r\n"],
    ["an empty header block", make("foo", undefined, "", "x"), "MSG foo 1 1\r\nx\r\n"],
  ] satisfies [string, Message, string, string?][]) {
    it(name, () => {
      assert.equal(
        say(true, (to) => to.msg({ sid: 1 }, message)),
        withHeaders,
      );
      assert.equal(
        say(false, (to) => to.msg({ sid: 1 }, message)),
        without ?? withHeaders,
      );
    });
  }
});

/** What a client gets for a message. */
function delivered(
  {
    subject,
    reply,
    headers,
    payload,
  }: { subject: string; reply: string | undefined; headers: string; payload: string },
  sid: Sid,
  withHeaders: boolean,
): ServerCall {
  return { verb: "msg", sid, subject, reply, headers: withHeaders ? headers : "", payload };
}

/** Ids that our reader gives back as they are: it makes numbers of digits. */
const sid: fc.Arbitrary<Sid> = fc.oneof(
  fc.nat(999_999_999),
  token.filter((text) => !/^\d+$/.test(text)),
);

describe("a client", () => {
  it("reads what a publisher said, in whatever spelling, at any split", () => {
    fc.assert(
      fc.property(
        fc.array(element, { maxLength: 8 }),
        sid,
        fc.boolean(),
        chunkSizes,
        (elements, sid, headers, sizes) => {
          const calls = elements.flatMap(({ calls }) => calls);
          const published = elements.filter(({ calls }) => calls[0]?.verb === "pub");
          const said = published.map(({ bytes }) => handOn(bytes, sid, headers, [...sizes])).join("");
          const expected = calls.flatMap((call) =>
            call.verb === "pub" ? [delivered(call, sid, headers)] : [],
          );
          assert.deepEqual(readServer(bytesOf(said), sizes), expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("reads what was said with values, as bytes and as text", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(publication, fc.boolean()), { maxLength: 8 }),
        sid,
        fc.boolean(),
        chunkSizes,
        (published, sid, headers, sizes) => {
          const message = new Message(new Slab());
          const said = say(headers, (to) => {
            for (const [{ subject, reply, headers, payload }, asText] of published) {
              const block = headers === undefined ? undefined : bytesOf(headers);
              message.setValue(subject, reply, block, asText ? payload : bytesOf(payload));
              to.msg({ sid }, message);
            }
          });
          const expected = published.map(([{ subject, reply, headers: block, payload }, asText]) =>
            delivered(
              { subject, reply, headers: block ?? "", payload: asText ? utf8(payload) : payload },
              sid,
              headers,
            ),
          );
          assert.deepEqual(readServer(bytesOf(said), sizes), expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("reads messages of any size, between small ones, in one flush", () => {
    const size = fc.oneof(fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 0, max: 200_000 }));
    const one = fc.record({
      size,
      headers: fc.integer({ min: 0, max: 5000 }),
      reply: fc.boolean(),
      digits: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 12 }), fc.boolean(), (messages, headers) => {
        const sink = new CollectingSink();
        const out = new Outbox(sink, new BufferPool());
        const writer = new ServerVerbWriter(out);
        writer.headers = headers;
        const verbs = new ClientRecorder();
        verbs.pub = (message) => writer.msg({ sid: 5 }, message);
        const reader = new ClientVerbReader(verbs, new Message(new Slab()), WIDE, new BufferPool());
        let expected = "";
        for (const { size, headers: wanted, reply, digits } of messages) {
          const before = Math.min(wanted, size);
          const block = "h".repeat(before);
          const payload = "p".repeat(size - before);
          const to = reply ? "re.ply " : "";
          const total = spell(size, digits);
          const line = `foo ${to}${before} ${total}\r\n${block}${payload}\r\n`;
          reader.read(bytesOf(`HPUB ${line}`));
          if (before === 0) expected += `MSG foo 5 ${to}${total}\r\n${payload}\r\n`;
          else if (headers) expected += `HMSG foo 5 ${to}${before} ${total}\r\n${block}${payload}\r\n`;
          else expected += `MSG foo 5 ${to}${payload.length}\r\n${payload}\r\n`;
        }
        out.flush();
        assertSame(latin1(sink.bytes), expected, "what is sent");
      }),
      { numRuns: 60 },
    );
  });

  it("reads many messages with long names that were written one after the other", () => {
    // Their lines end at every place of an array: one that asks for too little room would lose bytes there.
    const names = fc.record({
      subject: fc.integer({ min: 1, max: 700 }),
      reply: fc.integer({ min: 0, max: 700 }),
      sid: fc.constantFrom("1", "s".repeat(100), "日".repeat(300)),
      headers: fc.integer({ min: 0, max: 30 }),
      payload: fc.integer({ min: 0, max: 30 }),
      gap: fc.constantFrom(" ", "  "),
      form: fc.constantFrom("wire", "bytes", "text"),
    });
    fc.assert(
      fc.property(
        fc.array(names, { minLength: 10, maxLength: 150 }),
        fc.boolean(),
        (messages, withHeaders) => {
          const sink = new CollectingSink();
          const out = new Outbox(sink, new BufferPool());
          const writer = new ServerVerbWriter(out);
          writer.headers = withHeaders;
          let expected = "";
          const message = new Message(new Slab());
          for (const { subject, reply, sid, headers, payload, gap, form } of messages) {
            const name = "n".repeat(subject);
            const to = reply > 0 ? "r".repeat(reply) : undefined;
            const block = "h".repeat(headers);
            const body = "p".repeat(payload);
            if (form === "wire") {
              const verbs = new ClientRecorder();
              verbs.pub = (message) => writer.msg({ sid }, message);
              const reader = new ClientVerbReader(verbs, new Message(new Slab()), WIDE, new BufferPool());
              const args = [name, ...(to === undefined ? [] : [to]), headers, headers + payload].join(gap);
              reader.read(bytesOf(`HPUB ${args}\r\n${block}${body}\r\n`));
            } else {
              message.setValue(name, to, bytesOf(block), form === "text" ? body : bytesOf(body));
              writer.msg({ sid }, message);
            }
            const names = `${name} ${utf8(sid)}${to === undefined ? "" : ` ${to}`}`;
            expected +=
              headers > 0 && withHeaders
                ? `HMSG ${names} ${headers} ${headers + payload}\r\n${block}${body}\r\n`
                : `MSG ${names} ${payload}\r\n${body}\r\n`;
          }
          out.flush();
          assertSame(latin1(sink.bytes), expected, "what is sent");
        },
      ),
      { numRuns: 60 },
    );
  });

  it("reads INFO and errors", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 60 }).filter((text) => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(text, blob, chunkSizes, (text, anything, sizes) => {
        const info: ServerInfo = { ...INFO, server_name: text, cluster: anything };
        const said = say(true, (to) => {
          to.info(info);
          to.err(text);
        });
        assert.deepEqual(readServer(bytesOf(said), sizes), [
          { verb: "info", info },
          { verb: "err", text },
        ]);
      }),
      { numRuns: 200 },
    );
  });

  it("is not sent more than the text's bytes", () => {
    const subject = "日".repeat(400);
    const said = handOn(`PUB ${utf8(subject)} 1\r\nx\r\n`, "日".repeat(400), true);
    assert.equal(said, `MSG ${utf8(subject)} ${utf8(subject)} 1\r\nx\r\n`);
    assert.equal(encodeText(subject).length, 1200);
  });
});
