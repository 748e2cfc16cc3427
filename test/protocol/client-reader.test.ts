/**
 * What a client says is read right: every verb in every spelling that nats-server takes, every fault, at any split of the bytes,
 * with whatever garbage, and in little memory.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClientReaderLimits } from "../../src/protocol/client-reader.ts";
import { encodeText } from "../../src/protocol/text.ts";
import { bytesOf, concat, feed, latin1, utf8 } from "../support/protocol-bytes.ts";
import { fc } from "../support/protocol-check.ts";
import { type ClientCall, clientReader, type FaultName, readClient } from "../support/protocol-recorder.ts";
import { BROKEN, chunkSizes, element, script } from "../support/protocol-script.ts";
import { WatchedPool } from "../support/protocol-sinks.ts";

const MIB = 1024 * 1024;

/** The call of a `PUB` or `HPUB`. */
function pub(
  subject: string,
  payload: string,
  rest: { reply?: string; headers?: string; run?: boolean } = {},
): ClientCall {
  const { reply, headers = "", run = true } = rest;
  return { verb: "pub", subject, reply, headers, payload, run };
}

function fault(name: FaultName): ClientCall {
  return { verb: "fault", fault: name };
}

const PING: ClientCall = { verb: "ping" };
const PONG: ClientCall = { verb: "pong" };

/** Reads in one chunk and byte by byte, which must come to the same. */
function read(input: string, limits: Partial<ClientReaderLimits> = {}): ClientCall[] {
  const whole = readClient(input, limits);
  assert.deepEqual(readClient(input, limits, [1]), whole, "byte by byte is the same as in one chunk");
  return whole;
}

/** Bytes that a client sends, and what they cause. */
type Example = [input: string, calls: ClientCall[]];

function examples(table: readonly Example[], limits: Partial<ClientReaderLimits> = {}): void {
  for (const [input, calls] of table) {
    it(JSON.stringify(input), () => assert.deepEqual(read(input, limits), calls));
  }
}

describe("PING, PONG, +OK", () => {
  examples([
    ["PING\r\n", [PING]],
    ["ping\r\n", [PING]],
    ["pInG\r\n", [PING]],
    ["PING\n", [PING]],
    ["PING   \r\n", [PING]],
    ["PINGPONG\r\n", [PING]],
    ["PING with\ttrailing garbage\rhere\r\nPONG\r\n", [PING, PONG]],
    ["PONG\r\n", [PONG]],
    ["pong\n", [PONG]],
    ["Pong 5\r\n", [PONG]],
    ["+OK\r\nPING\r\n", [PING]],
    ["+ok\nPING\r\n", [PING]],
    ["+OK and more\r\nPING\r\n", [PING]],
    ["PING\r\nPING\r\nPONG\r\n", [PING, PING, PONG]],
  ]);
});

describe("PUB", () => {
  examples([
    ["PUB foo 5\r\nhello\r\n", [pub("foo", "hello")]],
    ["pub foo 5\r\nhello\r\n", [pub("foo", "hello")]],
    ["pUb foo 5\r\nhello\r\n", [pub("foo", "hello")]],
    ["PUB foo bar 5\r\nhello\r\n", [pub("foo", "hello", { reply: "bar" })]],
    ["PUB foo 0\r\n\r\n", [pub("foo", "")]],
    ["PUB foo 4\r\n\r\n\r\n\r\n", [pub("foo", "\r\n\r\n")]],
    ["PUB foo 9\r\nPUB a 0\r\n\r\n", [pub("foo", "PUB a 0\r\n")]],
    ["PUB foo 1\r\na\r\nPUB bar 1\r\nb\r\nPING\r\n", [pub("foo", "a"), pub("bar", "b"), PING]],
    // Space before the subject is no matter; elsewhere another spelling than the server's own cannot go on as one run.
    ["PUB    foo 2\r\nhi\r\n", [pub("foo", "hi")]],
    ["PUB\t foo 2\r\nhi\r\n", [pub("foo", "hi")]],
    ["PUB\tfoo\t2\r\nhi\r\n", [pub("foo", "hi", { run: false })]],
    ["PUB foo  2\r\nhi\r\n", [pub("foo", "hi", { run: false })]],
    ["PUB foo bar  2\r\nhi\r\n", [pub("foo", "hi", { reply: "bar", run: false })]],
    ["PUB foo  bar 2\r\nhi\r\n", [pub("foo", "hi", { reply: "bar", run: false })]],
    ["PUB foo bar\t2\r\nhi\r\n", [pub("foo", "hi", { reply: "bar", run: false })]],
    ["PUB \t foo \t bar \t 2 \t \r\nhi\r\n", [pub("foo", "hi", { reply: "bar", run: false })]],
    ["PUB foo 2 \r\nhi\r\n", [pub("foo", "hi", { run: false })]],
    ["PUB foo 2\nhi\r\n", [pub("foo", "hi", { run: false })]],
    ["PUB foo 2 \nhi\r\n", [pub("foo", "hi", { run: false })]],
    // Sizes of up to nine digits.
    ["PUB foo 00\r\n\r\n", [pub("foo", "")]],
    ["PUB foo 005\r\nhello\r\n", [pub("foo", "hello")]],
    ["PUB foo 000000005\r\nhello\r\n", [pub("foo", "hello")]],
    ["PUB foo 0000000005\r\nhello\r\n", [fault("malformed")]],
    ["PUB foo 999999999\r\n", []],
    ["PUB foo 1000000000\r\n", [fault("malformed")]],
    ["PUB foo 99999999999999999999\r\n", [fault("malformed")]],
    // The subject of a message is whatever stands there.
    ["PUB foo..bar 1\r\nx\r\n", [pub("foo..bar", "x")]],
    ["PUB * 1\r\nx\r\n", [pub("*", "x")]],
    ["PUB foo.> 1\r\nx\r\n", [pub("foo.>", "x")]],
    ["PUB 1 1\r\nx\r\n", [pub("1", "x")]],
    ["PUB {} [] 1\r\nx\r\n", [pub("{}", "x", { reply: "[]" })]],
    ["PUB a\0b\x7f 1\r\nx\r\n", [pub("a\0b\x7f", "x")]],
    [`PUB ${utf8("日本.😀")} ${utf8("é")} 1\r\nx\r\n`, [pub("日本.😀", "x", { reply: "é" })]],
    ["PUB a\xff\x80 b\xfe 1\r\nx\r\n", [pub("a\udcff\udc80", "x", { reply: "b\udcfe" })]],
  ]);
});

describe("HPUB", () => {
  const headers = "NATS/1.0\r\nA: b\r\n\r\n";
  const size = headers.length;
  examples([
    [`HPUB foo ${size} ${size + 2}\r\n${headers}hi\r\n`, [pub("foo", "hi", { headers })]],
    [`hpub foo ${size} ${size + 2}\r\n${headers}hi\r\n`, [pub("foo", "hi", { headers })]],
    [`hPuB foo ${size} ${size}\r\n${headers}\r\n`, [pub("foo", "", { headers })]],
    [`HPUB foo bar ${size} ${size + 2}\r\n${headers}hi\r\n`, [pub("foo", "hi", { reply: "bar", headers })]],
    [`HPUB foo bar 0${size} 00${size}\r\n${headers}\r\n`, [pub("foo", "", { reply: "bar", headers })]],
    [`HPUB foo ${size} ${size}\n${headers}\r\n`, [pub("foo", "", { headers, run: false })]],
    [`HPUB foo ${size}  ${size}\r\n${headers}\r\n`, [pub("foo", "", { headers, run: false })]],
    [
      `HPUB foo bar\t${size} ${size}\r\n${headers}\r\n`,
      [pub("foo", "", { reply: "bar", headers, run: false })],
    ],
    // No header bytes: as if it were a PUB, whose line has one size only.
    ["HPUB foo 0 2\r\nhi\r\n", [pub("foo", "hi", { run: false })]],
    ["HPUB foo bar 000 0\r\n\r\n", [pub("foo", "", { reply: "bar", run: false })]],
    // What stands in the block is the receivers' matter.
    ["HPUB foo 2 4\r\nxxhi\r\n", [pub("foo", "hi", { headers: "xx" })]],
    ["HPUB foo 3 2\r\nhi\r\n", [fault("malformed")]],
    ["HPUB foo 000000002 000000002\r\nhi\r\n", [pub("foo", "", { headers: "hi" })]],
    ["HPUB foo 0000000002 2\r\nhi\r\n", [fault("malformed")]],
    ["HPUB foo 2 0000000002\r\nhi\r\n", [fault("malformed")]],
  ]);

  describe("when headers are off", () => {
    examples(
      [
        ["PUB foo 2\r\nhi\r\n", [pub("foo", "hi")]],
        ["HPUB foo 0 2\r\nhi\r\n", [fault("headersNotSupported")]],
        ["HPUB foo 2 2\r\n", [fault("headersNotSupported")]],
        ["HPUB nonsense\r\n", [fault("headersNotSupported")]],
      ],
      { headers: false },
    );
  });

  it("is allowed from the moment that headers are on", () => {
    const { recorder, reader, limits } = clientReader({ headers: false });
    recorder.after = () => {
      limits.headers = true;
    };
    reader.read(bytesOf("CONNECT {}\r\nHPUB foo 1 1\r\nx\r\n"));
    assert.deepEqual(recorder.calls[1], pub("foo", "", { headers: "x" }));
  });
});

describe("SUB, UNSUB", () => {
  const sub = (subject: string, queue: string | undefined, sid: string): ClientCall => ({
    verb: "sub",
    subject,
    queue,
    sid,
  });
  const unsub = (sid: string, max?: number): ClientCall => ({ verb: "unsub", sid, max });
  examples([
    ["SUB foo 1\r\n", [sub("foo", undefined, "1")]],
    ["sub foo 1\n", [sub("foo", undefined, "1")]],
    ["sUb foo q 1\r\n", [sub("foo", "q", "1")]],
    ["SUB\tfoo \t q\t\t1 \r\n", [sub("foo", "q", "1")]],
    ["SUB foo.> workers any-token\r\n", [sub("foo.>", "workers", "any-token")]],
    ["SUB foo 007\r\n", [sub("foo", undefined, "007")]],
    [`SUB ${utf8("ñ.日")} ${utf8("ü")} ${utf8("€")}\r\n`, [sub("ñ.日", "ü", "€")]],
    // Whether a subject is a valid one is not the reader's matter.
    ["SUB foo..bar 1\r\n", [sub("foo..bar", undefined, "1")]],
    ["UNSUB 1\r\n", [unsub("1")]],
    ["unsub 1\n", [unsub("1")]],
    ["UnSub\t1\t5 \r\n", [unsub("1", 5)]],
    ["UNSUB 1 005\r\n", [unsub("1", 5)]],
    ["UNSUB 1 999999999\r\n", [unsub("1", 999_999_999)]],
    // A max that nats-server cannot read counts as none.
    ["UNSUB 1 0\r\n", [unsub("1")]],
    ["UNSUB 1 -1\r\n", [unsub("1")]],
    ["UNSUB 1 x\r\n", [unsub("1")]],
    ["UNSUB 1 1.5\r\n", [unsub("1")]],
    ["UNSUB 1 1000000000\r\n", [unsub("1")]],
  ]);
});

describe("CONNECT, INFO", () => {
  const connect = (options: object): ClientCall => ({ verb: "connect", options });
  examples([
    ["CONNECT {}\r\n", [connect({})]],
    ["CONNECT{}\r\n", [connect({})]],
    ["connect\t \t{}\n", [connect({})]],
    ["CONNECT null\r\n", [connect({})]],
    ['CONNECT {"verbose":false,"name":"a b"} \r\n', [connect({ verbose: false, name: "a b" })]],
    ['CONNECT{"verbose":false,"protocol":1}\r\nPING\r\n', [connect({ verbose: false, protocol: 1 }), PING]],
    ['CONNECT {"Verbose":true,"unknown":[1,2]}\r\n', [connect({ verbose: true })]],
    [`CONNECT {"user":"${utf8("zoë")}"}\r\n`, [connect({ user: "zoë" })]],
    ["CONNECT {}\r\nCONNECT {}\r\n", [connect({}), connect({})]],
    ["INFO {}\r\nPING\r\n", [PING]],
    ["INFO{}\nPING\r\n", [PING]],
    ['info \t {"server_id":"x","max_payload":1}\r\nPING\r\n', [PING]],
  ]);
});

describe("what is broken", () => {
  for (const [input, name] of BROKEN) {
    it(`${JSON.stringify(input)} is ${name}`, () => assert.deepEqual(read(input), [fault(name)]));
  }

  it("is not followed by anything", () => {
    for (const [input, name] of BROKEN) {
      assert.deepEqual(read(`PING\r\n${input}PING\r\nPUB foo 1\r\nx\r\nX`), [PING, fault(name)]);
    }
  });

  it("is seen as soon as no verb begins so", () => {
    const first = "PHSUCI+-phsuci";
    for (let byte = 0; byte < 256; byte++) {
      const char = String.fromCharCode(byte);
      assert.deepEqual(read(char), first.includes(char) ? [] : [fault("unknownOperation")], char);
    }
    for (const verb of [
      "PUB ",
      "HPUB ",
      "SUB ",
      "UNSUB ",
      "PING",
      "PONG",
      "CONNECT",
      "INFO",
      "+OK",
      "-ERR ",
    ]) {
      for (let length = 1; length < verb.length; length++) {
        const start = verb.slice(0, length);
        assert.deepEqual(read(start), [], start);
        assert.deepEqual(read(`${start}!`), [fault("unknownOperation")], `${start}!`);
        assert.deepEqual(read(`${start.toLowerCase()}\x80`), [fault("unknownOperation")]);
      }
    }
  });

  it("is seen in a payload's end with only one byte of it there", () => {
    for (const bad of ["PUB foo 1\r\nxy", "PUB foo 0\r\n\n", "HPUB foo 1 1\r\nxP"]) {
      for (let at = 1; at < bad.length; at++) {
        assert.deepEqual(
          readClient(bad, {}, [at, bad.length]),
          [fault("unknownOperation")],
          `${bad} at ${at}`,
        );
      }
      assert.deepEqual(read(bad), [fault("unknownOperation")]);
    }
    assert.deepEqual(read("PUB foo 1\r\nx\r"), []);
  });

  it("is seen in a line whose CR no LF follows, at any split", () => {
    for (const bad of ["PUB foo 1\rX", "HPUB foo 1 1\rX", "PUB foo\r\r"]) {
      const whole = readClient(bad);
      for (let at = 1; at < bad.length; at++) {
        assert.deepEqual(readClient(bad, {}, [at, bad.length]), whole, `${JSON.stringify(bad)} at ${at}`);
      }
    }
  });
});

describe("max_control_line", () => {
  const limits = { maxControlLine: 20 };
  const over = [fault("maxControlLine")];

  /** `length` bytes of arguments: the start, filled up at the place of the star. */
  const args = (pattern: string, length: number): string =>
    pattern.replace("*", "a".repeat(length - pattern.length + 1));

  for (const [verb, pattern, rest] of [
    ["PUB", "* 1", "x\r\n"],
    ["PUB", "foo * 1", "x\r\n"],
    ["HPUB", "* 0 1", "x\r\n"],
    ["SUB", "* 1", ""],
    ["SUB", "foo * 1", ""],
    ["UNSUB", "*", ""],
    ["CONNECT", '{"name":"*"}', ""],
    ["INFO", '{"a":"*"}', ""],
  ] as const) {
    it(`counts the arguments of ${verb} ${pattern}`, () => {
      for (const gap of [" ", "   ", "\t\t\t\t\t\t\t\t"]) {
        for (const end of ["\r\n", "\n"]) {
          for (const length of [19, 20]) {
            const calls = read(`${verb}${gap}${args(pattern, length)}${end}${rest}PING\r\n`, limits);
            assert.equal(calls.at(-1)?.verb, "ping", `${length} bytes are fine`);
          }
          assert.deepEqual(read(`${verb}${gap}${args(pattern, 21)}${end}${rest}`, limits), over);
          assert.deepEqual(read(`${verb}${gap}${args(pattern, 500)}${end}${rest}`, limits), over);
        }
      }
    });
  }

  it("counts space after the arguments", () => {
    assert.equal(read(`SUB foo 1${" ".repeat(15)}\r\n`, limits)[0].verb, "sub");
    assert.deepEqual(read(`SUB foo 1${" ".repeat(16)}\r\n`, limits), over);
    assert.equal(read(`PUB foo 1${" ".repeat(15)}\r\nx\r\n`, limits)[0].verb, "pub");
    assert.deepEqual(read(`PUB foo 1${" ".repeat(16)}\r\nx\r\n`, limits), over);
  });

  it("holds for an error that the client reports", () => {
    assert.deepEqual(read(`-ERR ${"a".repeat(20)}\r\n`, limits), [fault("clientError")]);
    assert.deepEqual(read(`-ERR ${"a".repeat(21)}\r\n`, limits), over);
  });

  it("comes before what else is wrong with a line", () => {
    assert.deepEqual(read(`HPUB ${"a".repeat(21)}\r\n`, { ...limits, headers: false }), over);
    assert.deepEqual(read(`PUB foo ${"a ".repeat(21)}\r\n`, limits), over);
    assert.deepEqual(read(`CONNECT ${"{".repeat(21)}\r\n`, limits), over);
    assert.deepEqual(read(`PUB ${"a".repeat(21)}\rX`, limits), over);
  });

  it("needs no line end", () => {
    for (const verb of ["PUB", "HPUB", "SUB", "UNSUB", "CONNECT", "INFO", "-ERR"]) {
      assert.deepEqual(read(`${verb} ${"a".repeat(20)}`, limits), []);
      assert.deepEqual(read(`${verb} ${"a".repeat(22)}`, limits), over);
    }
  });

  it("does not hold for verbs without arguments", () => {
    assert.deepEqual(read(`PING${"a".repeat(100)}\r\nPONG${" ".repeat(100)}\r\n`, limits), [PING, PONG]);
    assert.deepEqual(read(`+OK${"a".repeat(100)}\r\nPING\r\n`, limits), [PING]);
  });

  it("does not hold for payloads", () => {
    const payload = "a".repeat(100);
    assert.deepEqual(read(`PUB foo 100\r\n${payload}\r\n`, limits), [pub("foo", payload)]);
  });

  it("holds for open connections when it is changed", () => {
    const { recorder, reader, limits } = clientReader({ maxControlLine: 4 });
    limits.maxControlLine = 6;
    reader.read(bytesOf("SUB abcd 1\r\n"));
    assert.equal(recorder.calls[0].verb, "sub");
    limits.maxControlLine = 5;
    reader.read(bytesOf("SUB abcd 1\r\n"));
    assert.deepEqual(recorder.calls[1], fault("maxControlLine"));
  });
});

describe("max_payload", () => {
  const limits = { maxPayload: 5 };
  examples(
    [
      ["PUB foo 5\r\nhello\r\n", [pub("foo", "hello")]],
      // The size alone is enough: the payload does not come.
      ["PUB foo 6\r\n", [fault("maxPayload")]],
      ["PUB foo 999999999\n", [fault("maxPayload")]],
      ["PUB foo 0000000006\r\n", [fault("malformed")]],
      ["HPUB foo 2 5\r\nxxhel\r\n", [pub("foo", "hel", { headers: "xx" })]],
      ["HPUB foo 2 6\r\n", [fault("maxPayload")]],
    ],
    limits,
  );
  examples(
    [
      ["PUB foo 0\r\n\r\n", [pub("foo", "")]],
      ["PUB foo 1\r\n", [fault("maxPayload")]],
    ],
    { maxPayload: 0 },
  );
});

describe("stop", () => {
  it("ends reading at the verb at hand", () => {
    const input = "PING\r\nPUB foo 1\r\nx\r\nSUB foo 1\r\nUNSUB 1\r\nCONNECT {}\r\nPONG\r\nX";
    const all = read(input);
    assert.equal(all.length, 7);
    for (let count = 1; count < 7; count++) {
      for (const sizes of [[input.length], [1], [7]]) {
        const pool = new WatchedPool();
        const { recorder, reader } = clientReader({}, pool);
        recorder.after = () => {
          if (recorder.calls.length === count) reader.stop();
        };
        feed(reader, bytesOf(input), sizes);
        assert.deepEqual(recorder.calls, all.slice(0, count));
        assert.equal(pool.lent, 0);
      }
    }
  });

  it("ends reading of what waits for its rest", () => {
    for (const start of ["P", "PUB foo ", "PUB foo 5\r\nhel", "CONNECT {"]) {
      const pool = new WatchedPool();
      const { recorder, reader } = clientReader({}, pool);
      reader.read(bytesOf(start));
      reader.stop();
      reader.read(bytesOf("lo\r\nPING\r\n"));
      assert.deepEqual(recorder.calls, []);
      assert.equal(pool.lent, 0);
    }
  });
});

describe("any split", () => {
  it("of right and broken lines gives the same calls", () => {
    fc.assert(
      fc.property(script, chunkSizes, ({ bytes, calls }, sizes) => {
        assert.deepEqual(readClient(bytes), calls, "in one chunk");
        assert.deepEqual(readClient(bytes, {}, sizes), calls, `in chunks of ${sizes}`);
      }),
      { numRuns: 500 },
    );
  });

  it("of large payloads gives the same calls", () => {
    const sizes = fc.array(
      fc.oneof(fc.integer({ min: 1, max: 200_000 }), fc.constant(65_536), fc.constant(1)),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    const large = fc
      .record({
        size: fc.integer({ min: 65_000, max: 400_000 }),
        seed: fc.integer(),
        headers: fc.integer({ min: 0, max: 70_000 }),
      })
      .map(({ size, seed, headers }) => {
        const body = latin1(noise(size, seed));
        const before = Math.min(headers, size);
        return {
          bytes: bytesOf(`HPUB foo re.ply ${before} ${size}\r\n${body}\r\n`),
          calls: [
            pub("foo", body.slice(before), {
              reply: "re.ply",
              headers: body.slice(0, before),
              run: before > 0,
            }),
          ],
        };
      });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(element, large), { minLength: 1, maxLength: 4 }),
        sizes,
        (elements, sizes) => {
          const bytes = concat(elements.map((one) => one.bytes));
          const calls = elements.flatMap((one) => one.calls);
          const pool = new WatchedPool();
          const { recorder, reader } = clientReader({}, pool);
          feed(reader, bytes, sizes);
          assert.deepEqual(recorder.calls, calls);
          assert.equal(pool.lent, 0, "nothing waits, so nothing is borrowed");
        },
      ),
      { numRuns: 60 },
    );
  });

  it("at each place of one script gives the same calls", () => {
    const input =
      'CONNECT {"verbose":false}\r\nSUB foo  q 1\r\nPUB foo bar 5\r\nhe\r\nl\r\nHPUB\tfoo 4 6\nab\r\n\r\n\r\n' +
      "UNSUB 1 5\nPING x\r\n+OK\r\nPONG\r\nINFO {}\r\nPUB a 0\r\n\r\n-ERR 'x'\r\n";
    const calls = readClient(input);
    assert.deepEqual(
      calls.map((call) => call.verb),
      ["connect", "sub", "pub", "pub", "unsub", "ping", "pong", "pub", "fault"],
    );
    for (let first = 1; first < input.length; first++) {
      for (let second = 1; second < input.length - first; second += 3) {
        assert.deepEqual(readClient(input, {}, [first, second, input.length]), calls, `${first}, ${second}`);
      }
    }
  });
});

/** How a line may begin that goes on with anything. */
const start = fc.constantFrom(
  "",
  "",
  "PUB ",
  "PUB foo ",
  "HPUB foo 1 ",
  "SUB ",
  "UNSUB ",
  "CONNECT ",
  "INFO ",
  "-ERR ",
  "+OK",
);

/** Limits of which each is reached now and then. */
const narrow = fc.record({
  maxControlLine: fc.constantFrom(5, 20, 60, 4096),
  maxPayload: fc.constantFrom(0, 5, 1_000, -1),
  headers: fc.boolean(),
});

describe("garbage", () => {
  const readAll = (bytes: Uint8Array, sizes: readonly number[]): ClientCall[] => {
    const pool = new WatchedPool();
    const { recorder, reader } = clientReader({ maxPayload: 100_000 }, pool);
    feed(reader, bytes, sizes);
    if (recorder.calls.at(-1)?.verb === "fault") assert.equal(pool.lent, 0, "after a fault nothing is kept");
    return recorder.calls;
  };
  it("of random bytes is survived, and read the same at any split", () => {
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 200 }), chunkSizes, (start, rest, sizes) => {
        const bytes = concat([bytesOf(start), rest]);
        assert.deepEqual(readAll(bytes, sizes), readAll(bytes, [bytes.length || 1]));
      }),
      { numRuns: 1_000 },
    );
  });

  it("in a right script is survived, and read the same at any split", () => {
    const change = fc.record({
      at: fc.nat(),
      remove: fc.integer({ min: 0, max: 3 }),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 3 }).map((bytes) => latin1(bytes)),
        fc.constantFrom(" ", "\r", "\n", "\t", "0", "9", "PUB ", "\r\n"),
      ),
    });
    fc.assert(
      fc.property(
        fc.array(element, { minLength: 1, maxLength: 5 }),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        chunkSizes,
        (elements, changes, sizes) => {
          let text = latin1(concat(elements.map((one) => one.bytes)));
          for (const { at, remove, insert } of changes) {
            const place = at % (text.length + 1);
            text = text.slice(0, place) + insert + text.slice(place + remove);
          }
          const bytes = bytesOf(text);
          assert.deepEqual(readAll(bytes, sizes), readAll(bytes, [bytes.length || 1]));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("limits", () => {
  it("are reached at the same byte at any split, in random bytes and in right scripts", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          script.map(({ bytes }) => bytes),
          fc
            .tuple(
              start,
              fc.array(fc.constantFrom("a", "a", "a", "é", "1", " ", "\t", "\r", "\n", "\r\n"), {
                maxLength: 70,
              }),
            )
            .map(([start, rest]) => encodeText(start + rest.join(""))),
        ),
        narrow,
        chunkSizes,
        (bytes, limits, sizes) => {
          assert.deepEqual(readClient(bytes, limits, sizes), readClient(bytes, limits));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("memory", () => {
  const CHUNK = 64 * 1024;
  const limits = { maxControlLine: 4096, maxPayload: MIB };

  for (const [what, start, filling] of [
    ["spaces after PUB", "PUB", " "],
    ["tabs after HPUB", "HPUB", "\t"],
    ["spaces after SUB", "SUB", " "],
    ["spaces after CONNECT", "CONNECT", " "],
    ["spaces after -ERR", "-ERR", " "],
    ["a PING line", "PING", "x"],
    ["a PONG line of spaces", "PONG", " "],
    ["a +OK line", "+OK", "O"],
    ["no verb", "", "x"],
    ["no verb but zeros", "", "\0"],
    ["a subject to publish to", "PUB ", "a"],
    ["arguments of PUB", "PUB foo", " b"],
    ["a size", "PUB foo ", "1"],
    ["a subject to subscribe to", "SUB ", "a"],
    ["a sid", "UNSUB ", "1"],
    ["options", 'CONNECT {"', "a"],
    ["info", 'INFO {"', "a"],
    ["an error", "-ERR '", "a"],
  ] as const) {
    it(`stays small for ${what} without end`, () => {
      const pool = new WatchedPool();
      const { recorder, reader } = clientReader(limits, pool);
      const chunk = bytesOf(filling.repeat(CHUNK).slice(0, CHUNK));
      reader.read(bytesOf(start));
      for (let fed = 0; fed < 10 * MIB; fed += CHUNK) reader.read(chunk);
      assert.ok(pool.largest <= 2 * CHUNK, `asked for ${pool.largest} bytes`);
      assert.ok(recorder.calls.length <= 1);
      if (recorder.calls.length === 0) assert.ok(pool.lent === 1);
      else assert.equal(pool.lent, 0);
    });
  }

  it("grows with what has come of a payload, not with its size", () => {
    const pool = new WatchedPool();
    const { recorder, reader } = clientReader({ maxPayload: -1 }, pool);
    reader.read(bytesOf("PUB foo 999999999\r\n"));
    assert.ok(pool.largest <= 1024, `asked for ${pool.largest} bytes`);
    for (let fed = 0; fed < MIB; fed += CHUNK) reader.read(new Uint8Array(CHUNK));
    assert.ok(pool.largest <= 3 * MIB, `asked for ${pool.largest} bytes`);
    assert.deepEqual(recorder.calls, []);
  });

  it("is not held by a reader that waits for nothing", () => {
    const pool = new WatchedPool();
    const { recorder, reader } = clientReader(limits, pool);
    for (let i = 0; i < 100; i++) {
      reader.read(bytesOf("PUB fo"));
      assert.equal(pool.lent, 1);
      reader.read(bytesOf("o 3\r\na"));
      reader.read(bytesOf("bc\r\nPING\r\n"));
      assert.equal(pool.lent, 0);
    }
    assert.equal(recorder.calls.length, 200);
  });
});

/** Bytes that look random, always the same for a seed. */
function noise(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = seed | 1;
  for (let i = 0; i < size; i++) {
    state = Math.imul(state, 1664525) + 1013904223;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
