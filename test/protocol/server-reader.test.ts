/** What a server says is read right, at any split of the bytes, with whatever garbage, and in little memory. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytesOf, concat, feed, latin1, utf8 } from "../support/protocol-bytes.ts";
import { fc } from "../support/protocol-check.ts";
import { readServer, type ServerCall, serverReader } from "../support/protocol-recorder.ts";
import { blob, chunkSizes, element } from "../support/protocol-script.ts";
import { WatchedPool } from "../support/protocol-sinks.ts";

const MIB = 1024 * 1024;

function msg(
  subject: string,
  sid: string | number,
  payload: string,
  rest: { reply?: string; headers?: string } = {},
): ServerCall {
  return { verb: "msg", sid, subject, reply: rest.reply, headers: rest.headers ?? "", payload };
}

const FAULT: ServerCall = { verb: "fault", fault: "unknownOperation" };
const PING: ServerCall = { verb: "ping" };
const PONG: ServerCall = { verb: "pong" };
const OK: ServerCall = { verb: "ok" };

/** Reads in one chunk and byte by byte, which must come to the same. */
function read(input: string): ServerCall[] {
  const whole = readServer(input);
  assert.deepEqual(readServer(input, [1]), whole, "byte by byte is the same as in one chunk");
  return whole;
}

describe("lines", () => {
  const err = (text: string): ServerCall => ({ verb: "err", text });
  const info = (info: object): ServerCall => ({ verb: "info", info: info as never });
  for (const [input, calls] of [
    ["PING\r\n", [PING]],
    ["PONG\r\n", [PONG]],
    ["+OK\r\n", [OK]],
    ["ping\r\npong\n+ok\r\n", [PING, PONG, OK]],
    ["PING \r\nPING\n", [PING, PING]],
    ["-ERR 'Stale Connection'\r\n", [err("Stale Connection")]],
    ["-err 'x'\n", [err("x")]],
    ["-ERR ''\r\n", [err("")]],
    ["-ERR 'it isn't'\r\n", [err("it isn't")]],
    [
      `-ERR 'Permissions Violation for Publish to "${utf8("é")}"'\r\n`,
      [err('Permissions Violation for Publish to "é"')],
    ],
    ["-ERR no quotes\r\n", [err("no quotes")]],
    ["-ERR '\r\n", [err("'")]],
    ["-ERR\r\n", [err("")]],
    ['INFO {"server_id":"N","max_payload":5} \r\n', [info({ server_id: "N", max_payload: 5 })]],
    ["INFO {}\r\n", [info({})]],
    ["info\t{}\n", [info({})]],
    [`INFO {"server_name":"${utf8("日本")}"}\r\n`, [info({ server_name: "日本" })]],
    ["INFO nonsense\r\n", [FAULT]],
    ["INFO\r\n", [FAULT]],
    ["INFO 5\r\n", [FAULT]],
    ["INFO null\r\n", [FAULT]],
    ["\r\n", [FAULT]],
    ["\n", [FAULT]],
    ["PUB foo 1\r\nx\r\n", [FAULT]],
    ["SUB foo 1\r\n", [FAULT]],
    ["PINGPONG\r\n", [FAULT]],
    ["OK\r\n", [FAULT]],
    ["\xff\r\n", [FAULT]],
  ] satisfies [string, ServerCall[]][]) {
    it(JSON.stringify(input), () => assert.deepEqual(read(input), calls));
  }
});

describe("MSG, HMSG", () => {
  for (const [input, calls] of [
    ["MSG foo 1 5\r\nhello\r\n", [msg("foo", 1, "hello")]],
    ["MSG foo 1 bar 5\r\nhello\r\n", [msg("foo", 1, "hello", { reply: "bar" })]],
    ["MSG foo 1 0\r\n\r\n", [msg("foo", 1, "")]],
    ["MSG foo 1 4\r\n\r\n\r\n\r\n", [msg("foo", 1, "\r\n\r\n")]],
    ["MSG foo sid-1 005\r\nhello\r\n", [msg("foo", "sid-1", "hello")]],
    ["MSG foo\t 1  bar\t5 \nhello\r\n", [msg("foo", 1, "hello", { reply: "bar" })]],
    [`MSG ${utf8("日.é")} 1 ${utf8("ü")} 1\r\nx\r\n`, [msg("日.é", 1, "x", { reply: "ü" })]],
    ["MSG a\xff 1 1\r\nx\r\n", [msg("a\udcff", 1, "x")]],
    ["HMSG foo 1 2 4\r\nabhi\r\n", [msg("foo", 1, "hi", { headers: "ab" })]],
    ["HMSG foo 1 bar 2 2\r\nab\r\n", [msg("foo", 1, "", { reply: "bar", headers: "ab" })]],
    ["HMSG foo 1 0 2\r\nhi\r\n", [msg("foo", 1, "hi")]],
    ["MSG foo 1 1\r\na\r\nMSG foo 2 1\r\nb\r\nPING\r\n", [msg("foo", 1, "a"), msg("foo", 2, "b"), PING]],
    ["MSG foo 1\r\n", [FAULT]],
    ["MSG foo 1 b c 1\r\nx\r\n", [FAULT]],
    ["MSG foo 1 x\r\n", [FAULT]],
    ["MSG foo 1 -1\r\n", [FAULT]],
    ["MSG foo 1 1000000000\r\n", [FAULT]],
    ["HMSG foo 1 1\r\n", [FAULT]],
    ["HMSG foo 1 3 2\r\n", [FAULT]],
    ["HMSG foo 1 x 2\r\n", [FAULT]],
    ["MSG foo 1 1\r\nxy\r\n", [FAULT]],
    ["MSG foo 1 1\r\nx\n\n", [FAULT]],
    ["MXG foo 1 1\r\nx\r\n", [FAULT]],
    ["HXSG foo 1 1 1\r\nx\r\n", [FAULT]],
  ] satisfies [string, ServerCall[]][]) {
    it(JSON.stringify(input), () => assert.deepEqual(read(input), calls));
  }

  it("give back the number of every subscription that a client can make", () => {
    for (const sid of [0, 1, 9, 10, 123_456, 999_999_999, 1_000_000_000, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
      assert.deepEqual(read(`MSG foo ${sid} 1\r\nx\r\n`), [msg("foo", sid, "x")]);
    }
  });

  it("name the right subject, however many there are", () => {
    const { recorder, reader } = serverReader();
    const name = (i: number): string => (i % 7 === 0 ? `subject.é.${i}` : `subject.${i % 3}.${i}`);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 5_000; i++) {
        const chunk = bytesOf(`MSG ${utf8(name(i))} ${i} 1\r\nx\r\n`);
        reader.read(chunk);
        chunk.fill(0);
      }
    }
    assert.equal(recorder.calls.length, 10_000);
    for (const [i, call] of recorder.calls.entries())
      assert.deepEqual(call, msg(name(i % 5_000), i % 5_000, "x"));
  });

  it("name the right subject when another begins with it", () => {
    // Enough of them that some share a place with the one that they begin with.
    const { recorder, reader } = serverReader();
    const expected: ServerCall[] = [];
    for (let i = 0; i < 5_000; i++) {
      for (const subject of ["foo", `foo${i}`, "foo", `foo.${i}`]) {
        reader.read(bytesOf(`MSG ${subject} 1 1\r\nx\r\n`));
        expected.push(msg(subject, 1, "x"));
      }
    }
    assert.deepEqual(recorder.calls, expected);
  });

  it("name the right subject when chunks are Node's Buffers and are written in again", () => {
    // Enough subjects of one length that some of them share a place among those that are remembered.
    const { recorder, reader } = serverReader();
    const buffer = Buffer.alloc(100);
    for (let i = 0; i < 5_000; i++) {
      const length = buffer.write(`MSG subject.${10_000 + i} 1 1\r\nx\r\n`);
      reader.read(buffer.subarray(0, length));
      buffer.fill(0);
    }
    for (const [i, call] of recorder.calls.entries())
      assert.deepEqual(call, msg(`subject.${10_000 + i}`, 1, "x"));
  });
});

/** Something that a server says. */
const saying: fc.Arbitrary<{ text: string; call: ServerCall }> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        subject: fc.constantFrom("foo", "foo.bar", "_INBOX.abc.1", "日本", "*"),
        sid: fc.oneof(fc.nat(999_999_999), fc.constantFrom("a", "x-1", "1a", "日")),
        reply: fc.option(fc.constantFrom("r", "_INBOX.x", "é"), { nil: undefined }),
        headers: fc.option(blob, { nil: undefined }),
        payload: blob,
        end: fc.constantFrom("\r\n", "\r\n", "\n", " \r\n"),
      })
      .map(({ subject, sid, reply, headers, payload, end }) => {
        const names = `${utf8(subject)} ${utf8(String(sid))} ${reply === undefined ? "" : `${utf8(reply)} `}`;
        const size = (headers ?? "").length + payload.length;
        const line = headers === undefined ? `MSG ${names}${size}` : `HMSG ${names}${headers.length} ${size}`;
        return {
          text: `${line}${end}${headers ?? ""}${payload}\r\n`,
          call: msg(subject, sid, payload, { reply, headers }),
        };
      }),
  },
  fc.constantFrom(
    { text: "PING\r\n", call: PING },
    { text: "PONG\r\n", call: PONG },
    { text: "+OK\r\n", call: OK },
    { text: "-ERR 'a b'\r\n", call: { verb: "err" as const, text: "a b" } },
    { text: 'INFO {"port":1} \r\n', call: { verb: "info" as const, info: { port: 1 } as never } },
  ),
);

describe("any split", () => {
  it("gives the same calls", () => {
    const broken = fc.constantFrom(
      "X\r\n",
      "MSG\r\n",
      "MSG foo 1 1\r\nxyz",
      "HMSG a 1 2 1\r\n",
      "INFO {\r\n",
      "PUB a 1\r\n",
    );
    fc.assert(
      fc.property(
        fc.array(saying, { maxLength: 10 }),
        fc.option(broken, { nil: undefined }),
        chunkSizes,
        (sayings, broken, sizes) => {
          const bytes = bytesOf(
            sayings.map(({ text }) => text).join("") + (broken === undefined ? "" : `${broken}PING\r\n`),
          );
          const calls = sayings.map(({ call }) => call);
          if (broken !== undefined) calls.push(FAULT);
          assert.deepEqual(readServer(bytes), calls);
          assert.deepEqual(readServer(bytes, sizes), calls);
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe("stop", () => {
  it("ends reading at the verb at hand", () => {
    const input = "PING\r\nMSG foo 1 1\r\nx\r\n+OK\r\n-ERR 'x'\r\nINFO {}\r\nPONG\r\nX\r\n";
    const all = read(input);
    assert.equal(all.length, 7);
    for (let count = 1; count < 7; count++) {
      for (const sizes of [[input.length], [1], [7]]) {
        const pool = new WatchedPool();
        const { recorder, reader } = serverReader(pool);
        recorder.after = () => {
          if (recorder.calls.length === count) reader.stop();
        };
        feed(reader, bytesOf(input), sizes);
        assert.deepEqual(recorder.calls, all.slice(0, count));
        assert.equal(pool.lent, 0);
      }
    }
  });
});

describe("garbage", () => {
  const readAll = (bytes: Uint8Array, sizes: readonly number[]): ServerCall[] => {
    const { recorder, reader } = serverReader(new WatchedPool());
    feed(reader, bytes, sizes);
    feed(reader, bytesOf("\n\n\n\n\n\n"), [6]);
    return recorder.calls;
  };

  it("of random bytes is survived, and read the same at any split", () => {
    const start = fc.constantFrom(
      "",
      "MSG ",
      "MSG foo 1 ",
      "HMSG foo 1 1 ",
      "INFO ",
      "-ERR ",
      "+OK",
      "PING",
      "M",
      "H",
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 100 }), chunkSizes, (start, rest, sizes) => {
        const bytes = concat([bytesOf(start), rest]);
        assert.deepEqual(readAll(bytes, sizes), readAll(bytes, [bytes.length || 1]));
      }),
      { numRuns: 500 },
    );
  });

  it("in what a server says is survived, and read the same at any split", () => {
    fc.assert(
      fc.property(
        fc.array(saying, { minLength: 1, maxLength: 5 }),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 3 }),
        chunkSizes,
        (sayings, changes, sizes) => {
          const bytes = bytesOf(sayings.map(({ text }) => text).join(""));
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          assert.deepEqual(readAll(bytes, sizes), readAll(bytes, [bytes.length]));
        },
      ),
      { numRuns: 400 },
    );
  });

  it("that is what a client says is survived", () => {
    fc.assert(
      fc.property(fc.array(element, { maxLength: 4 }), (elements) => {
        readAll(concat(elements.map((one) => one.bytes)), [3]);
      }),
      { numRuns: 100 },
    );
  });
});

describe("memory", () => {
  it("stays small for a line without end", () => {
    for (const [start, filling] of [
      ["INFO ", " "],
      ["INFO {", "a"],
      ["-ERR '", "x"],
      ["", "x"],
      ["PING", " "],
      ["MSG ", "a"],
      ["MSG foo 1 ", " "],
      ["HMSG foo 1", " b"],
    ]) {
      const pool = new WatchedPool();
      const { recorder, reader } = serverReader(pool);
      const chunk = bytesOf(filling.repeat(65_536).slice(0, 65_536));
      reader.read(bytesOf(start));
      for (let fed = 0; fed < 10 * MIB; fed += chunk.length) reader.read(chunk);
      assert.ok(pool.largest <= 3 * MIB, `asked for ${pool.largest} bytes for ${start}${filling}`);
      assert.deepEqual(recorder.calls, [FAULT]);
      assert.equal(pool.lent, 0);
    }
  });

  it("grows with what has come of a payload, not with its size", () => {
    const pool = new WatchedPool();
    const { recorder, reader } = serverReader(pool);
    reader.read(bytesOf("MSG foo 1 999999999\r\n"));
    assert.ok(pool.largest <= 1024, `asked for ${pool.largest} bytes`);
    assert.deepEqual(recorder.calls, []);
  });

  it("is enough for large messages and for the INFO of a large cluster", () => {
    const urls = Array.from({ length: 2_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}:4222`);
    const payload = latin1(new Uint8Array(5 * MIB).fill(7));
    const text = `INFO ${JSON.stringify({ connect_urls: urls })} \r\nMSG foo 1 ${payload.length}\r\n${payload}\r\nPING\r\n`;
    for (const size of [1_000, 65_536, 3 * MIB]) {
      const calls = readServer(text, [size]);
      assert.deepEqual(calls[0], { verb: "info", info: { connect_urls: urls } });
      const [, message, ping] = calls;
      assert.ok(message.verb === "msg" && message.payload === payload);
      assert.deepEqual(ping, PING);
    }
  });
});
