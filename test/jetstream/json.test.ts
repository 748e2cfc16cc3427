import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeJson,
  decodeRequest,
  isEmptyRequest,
  RequestJsonError,
} from "../../src/jetstream/json/decode.ts";
import { nanoseconds } from "../../src/jetstream/json/durations.ts";
import { byCodePoint } from "../../src/jetstream/json/scalars.ts";
import { type JsonNode, JsonScanner, JsonSyntaxError } from "../../src/jetstream/json/scan.ts";
import {
  parseTimestamp,
  storedFromMs,
  TimestampError,
  TimestampWriter,
  timestampMs,
  timestampNs,
  timestampOf,
  timestampOfNs,
} from "../../src/jetstream/json/timestamps.ts";
import { streamConfig } from "../../src/jetstream/stream/config.ts";
import { decodeText } from "../../src/protocol/text.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function plain(node: JsonNode): unknown {
  switch (node.kind) {
    case "null":
      return null;
    case "bool":
      return node.value;
    case "number":
      return Number(node.raw);
    case "string":
      return node.text;
    case "array":
      return node.items.map(plain);
    case "object":
      return Object.fromEntries(node.members.map(([name, value]) => [name, plain(value)]));
  }
}

test("any JSON is read as the platform reads it, and cut short is refused", () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (json, cut) => {
      const all = bytes(json);
      assert.deepEqual(plain(new JsonScanner(all).only()), JSON.parse(json));
      const part = all.subarray(0, cut % all.length);
      let parsed = true;
      try {
        JSON.parse(new TextDecoder().decode(part));
      } catch {
        parsed = false;
      }
      if (!parsed) assert.throws(() => new JsonScanner(part).only(), JsonSyntaxError);
    }),
  );
});

test("bytes at random never make it fail in any other way", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (body) => {
      try {
        decodeRequest(streamConfig, body);
      } catch (error) {
        assert.ok(error instanceof RequestJsonError, String(error));
      }
    }),
  );
});

test("what lies too deep is refused before it takes the stack", () => {
  assert.throws(() => new JsonScanner(bytes("[".repeat(1_000_000))).only(), /exceeded max depth/);
});

test("requests that are not read strictly may have fields that there are not", () => {
  const body = bytes('{"name":"S","bogus":1}');
  assert.throws(() => decodeRequest(streamConfig, body), { message: 'json: unknown field "bogus"' });
  assert.equal(decodeRequest(streamConfig, body, false).name, "S");
  assert.throws(() => decodeRequest(streamConfig, bytes('{"name":1}'), false), /cannot unmarshal number/);
  assert.equal(decodeJson(streamConfig, body).name, "S");
  assert.throws(() => decodeJson(streamConfig, bytes('{"name":"S"} x')), {
    message: "invalid character 'x' after top-level value",
  });
  assert.throws(() => decodeJson(streamConfig, bytes('{"name"')), {
    message: "unexpected end of JSON input",
  });
});

test("empty requests", () => {
  for (const body of ["", "{}", " { } "]) assert.equal(isEmptyRequest(bytes(body)), true, body);
  for (const body of ["[]", '{"a":1}', "null", "x", "{"])
    assert.equal(isEmptyRequest(bytes(body)), false, body);
});

test("spans are exact to the nanosecond for 52 days, and the longest stays itself", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n }), (ns) => {
      const body = bytes(`{"max_age":${ns}}`);
      assert.equal(nanoseconds(decodeJson(streamConfig, body).maxAge), ns);
    }),
  );
  const longest = bytes(
    '{"max_age":9223372036854775807,"max_msgs":9223372036854775807,"first_seq":18446744073709551615}',
  );
  const json = streamConfig.write(decodeJson(streamConfig, longest));
  assert.match(json, /"max_msgs":9223372036854775807,/);
  assert.match(json, /"max_age":9223372036854775807,/);
  assert.match(json, /"first_seq":18446744073709551615,/);
});

test("moments keep their nanoseconds and their offset", () => {
  const cases: [given: string, kept: string, ns: bigint][] = [
    ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", 1767323045000000000n],
    ["2026-01-02T03:04:05.120+02:00", "2026-01-02T03:04:05.12+02:00", 1767315845120000000n],
    ["2026-01-02T03:04:05.123456789-00:00", "2026-01-02T03:04:05.123456789Z", 1767323045123456789n],
    ["1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z", -1n],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", -62135596800000000000n],
  ];
  for (const [given, kept, ns] of cases) {
    const time = parseTimestamp(given);
    assert.equal(time, kept);
    assert.equal(timestampNs(time), ns);
    assert.equal(timestampNs(timestampOfNs(ns)), ns);
    assert.ok(Math.abs(timestampMs(time) - Number(ns) / 1e6) < 1e-3);
  }
  assert.equal(timestampOf(1_767_323_045_120), "2026-01-02T03:04:05.12Z");
  // A message stored at a whole microsecond says that, and not what a number makes of it.
  assert.equal(timestampOf(1_767_323_045_120.456), "2026-01-02T03:04:05.120456Z");
});

test("what is no moment is refused in Go's words", () => {
  const as = '" as "2006-01-02T15:04:05Z07:00": cannot parse "';
  const cases: [given: string, message: string][] = [
    ["", `parsing time "${as}" as "2006"`],
    ["2026-01-02", `parsing time "2026-01-02${as}" as "T"`],
    ["2026-13-02T03:04:05Z", 'parsing time "2026-13-02T03:04:05Z": month out of range'],
    ["2026-02-29T03:04:05Z", 'parsing time "2026-02-29T03:04:05Z": day out of range'],
    ["2026-02-03T24:04:05Z", 'parsing time "2026-02-03T24:04:05Z": hour out of range'],
    ["2026-02-03T04:05:06", `parsing time "2026-02-03T04:05:06${as}" as "Z07:00"`],
    ["2026-02-03T04:05:06Zx", 'parsing time "2026-02-03T04:05:06Zx": extra text: "x"'],
  ];
  for (const [given, message] of cases)
    assert.throws(() => parseTimestamp(given), new TimestampError(message));
});

test("names are put in the order of their bytes", () => {
  assert.deepEqual(["b", "\u{1f600}", "a", "\uffee", "B", "aa"].sort(byCodePoint), [
    "B",
    "a",
    "aa",
    "b",
    "\uffee",
    "\u{1f600}",
  ]);
});

test("times that are written one after the other are the same as when they are made one by one", () => {
  const times = new TimestampWriter();
  const bytes = new Uint8Array(40);
  const micros = fc.oneof(fc.nat(5_000_000), fc.constantFrom(0, 999_999, 1_000_000, 100, 10_000));
  fc.assert(
    fc.property(fc.array(micros), (all) => {
      for (const each of all) {
        const time = 1_767_323_045_000 + each / 1_000;
        const end = times.write(time, bytes, 3);
        assert.equal(decodeText(bytes, 3, end), timestampOf(time));
        assert.equal(
          storedFromMs(timestampOf(time)),
          time,
          "who asks for messages from there on gets this one",
        );
      }
    }),
  );
});
