/** Copies of bytes, comparisons, and decimal numbers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  ascii,
  copyBytes,
  copyOf,
  decimalLength,
  sameBytes,
  writeDecimal,
} from "../../src/protocol/bytes.ts";
import { HASH_PRIME, HASH_SEED, hashText } from "../../src/protocol/hash.ts";
import { bytesOf, fnv1a, latin1 } from "../support/protocol-bytes.ts";
import { fc } from "../support/protocol-check.ts";

describe("copyBytes", () => {
  it("copies just these bytes to just this place", () => {
    const length = fc.oneof(fc.nat(60), fc.constantFrom(27, 28, 29, 1_000));
    fc.assert(
      fc.property(
        fc.nat(40),
        length,
        fc.nat(40),
        fc.nat(40),
        fc.boolean(),
        (start, length, rest, at, buffer) => {
          const source = (buffer ? Buffer.alloc : (size: number) => new Uint8Array(size))(
            start + length + rest,
          );
          for (let i = 0; i < source.length; i++) source[i] = i * 7;
          const before = source.slice();
          const target = new Uint8Array(at + length + 5).fill(255);
          copyBytes(source, start, start + length, target, at);
          for (let i = 0; i < target.length; i++) {
            assert.equal(target[i], i < at || i >= at + length ? 255 : ((start + i - at) * 7) & 255);
          }
          assert.deepEqual(source, before);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("copyOf", () => {
  it("copies, also from one of Node's Buffers", () => {
    for (const source of [Uint8Array.of(1, 2, 3, 4), Buffer.from([1, 2, 3, 4])]) {
      const copy = copyOf(source, 1, 3);
      source.fill(9);
      assert.deepEqual([...copy], [2, 3]);
      assert.equal(copy.buffer === source.buffer, false);
    }
  });
});

describe("sameBytes", () => {
  it("compares with the bytes at a place", () => {
    assert.equal(sameBytes(bytesOf("foo"), bytesOf("a.foo.b"), 2), true);
    assert.equal(sameBytes(bytesOf("foo"), bytesOf("a.fob.b"), 2), false);
    assert.equal(sameBytes(bytesOf(""), bytesOf("x"), 1), true);
    assert.equal(sameBytes(bytesOf("foo"), bytesOf("fo"), 0), false);
  });
});

describe("writeDecimal", () => {
  const check = (value: number): void => {
    const target = new Uint8Array(30).fill(120);
    const end = writeDecimal(value, target, 3);
    assert.equal(latin1(target, 0, end), `xxx${value}`);
    assert.ok(target.subarray(end).every((byte) => byte === 120));
    assert.equal(decimalLength(value), String(value).length);
  };

  it("writes every number of few digits, and those around the powers of ten", () => {
    for (let value = 0; value < 2_000; value++) check(value);
    for (let power = 1; power <= 1e15; power *= 10)
      for (const value of [power - 1, power, power + 1]) check(value);
    for (const value of [2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1]) check(value);
  });

  it("writes any whole number", () => {
    fc.assert(fc.property(fc.maxSafeNat(), check), { numRuns: 1_000 });
  });
});

describe("ascii", () => {
  it("gives the bytes of a constant", () => {
    assert.deepEqual(ascii("+OK\r\n"), Uint8Array.of(43, 79, 75, 13, 10));
  });
});

describe("hashes", () => {
  it("of a text are those that a reader takes of its bytes", () => {
    assert.equal(hashText(""), HASH_SEED);
    assert.equal(hashText("a"), Math.imul(HASH_SEED ^ 97, HASH_PRIME));
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii" }), (text) =>
        assert.equal(hashText(text), fnv1a(bytesOf(text))),
      ),
    );
  });
});
