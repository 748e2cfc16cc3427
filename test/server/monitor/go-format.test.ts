import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { goDuration, goJson, goRtt, goTime, uptime } from "../../../src/server/monitor/go-format.ts";

test("times are RFC 3339 in UTC, without zeros at the end", () => {
  assert.equal(goTime(0), "1970-01-01T00:00:00Z");
  assert.equal(goTime(1_767_225_600_120), "2026-01-01T00:00:00.12Z");
  assert.equal(goTime(951_782_400_005), "2000-02-29T00:00:00.005Z");
});

test("times are those of the platform", () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (ms) => {
      const [seconds, fraction] = new Date(ms).toISOString().slice(0, -1).split(".");
      const digits = fraction.replace(/0+$/, "");
      assert.equal(goTime(ms), `${seconds}${digits === "" ? "" : `.${digits}`}Z`);
    }),
  );
});

test("durations are Go's", () => {
  for (const [ms, text] of [
    [0, "0s"],
    [0.0005, "500ns"],
    [0.3, "300µs"],
    [0.1234, "123.4µs"],
    [1.25, "1.25ms"],
    [1_500, "1.5s"],
    [60_000, "1m0s"],
    [3_723_500, "1h2m3.5s"],
    [90_000_000, "25h0m0s"],
  ] as const)
    assert.equal(goDuration(ms), text);
  assert.equal(goRtt(0.1234567), "123µs");
  assert.equal(goRtt(1.234567), "1.234567ms");
});

test("uptimes are in whole seconds, with the units that they need", () => {
  for (const [ms, text] of [
    [0, "0s"],
    [-5, "0s"],
    [59_999, "59s"],
    [60_000, "1m0s"],
    [3_600_000, "1h0m0s"],
    [90_061_000, "1d1h1m1s"],
    [366 * 86_400_000, "1y1d0h0m0s"],
  ] as const)
    assert.equal(uptime(ms), text);
});

test("JSON has no text that could end a script", () => {
  assert.equal(goJson({ a: "</script>&\u2028" }), '{"a":"\\u003c/script\\u003e\\u0026\\u2028"}');
  assert.deepEqual(JSON.parse(goJson({ a: "</script>&\u2028" }, 2)), { a: "</script>&\u2028" });
});
