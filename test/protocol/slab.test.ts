/** Copies in a slab never overlap and never change, whatever happens to what they were copied from. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Slab } from "../../src/protocol/slab.ts";
import { assertSame, latin1 } from "../support/protocol-bytes.ts";
import { fc } from "../support/protocol-check.ts";

interface Kept {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly copy: string;
}

/** Keeps `length` bytes of an array in which others stand around them, and turns them to garbage afterwards. */
function keep(slab: Slab, source: Uint8Array, start: number, length: number, seed: number): Kept {
  for (let i = 0; i < source.length; i++) source[i] = i * 31 + seed;
  const copy = latin1(source, start, start + length);
  slab.keep(source, start, start + length);
  source.fill(0xaa);
  return { bytes: slab.bytes, at: slab.at, copy };
}

function check(kept: readonly Kept[]): void {
  for (const { bytes, at, copy } of kept) {
    assertSame(latin1(bytes, at, at + copy.length), copy, "a copy lasts");
  }
}

describe("Slab", () => {
  it("keeps every copy as it was, at a place of its own", () => {
    const length = fc.oneof(
      fc.nat(100),
      fc.nat(4_200),
      fc.constantFrom(0, 4_095, 4_096, 4_097, 16_384, 16_385),
      fc.nat(50_000),
    );
    const one = fc.record({ start: fc.nat(20), length, rest: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 60 }), (steps) => {
        const slab = new Slab();
        const kept = steps.map(({ start, length, rest }, i) => {
          return keep(slab, new Uint8Array(start + length + rest), start, length, i);
        });
        check(kept);
        // Whoever gets a copy may write in it: that must be nobody else's matter.
        for (const [i, { bytes, at, copy }] of kept.entries()) {
          bytes.fill(0x55, at, at + copy.length);
          check(kept.slice(i + 1));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("keeps large ones apart, so that they hold no others alive", () => {
    const slab = new Slab();
    keep(slab, new Uint8Array(10), 0, 10, 1);
    const small = slab.bytes;
    keep(slab, new Uint8Array(100_000), 10, 50_000, 2);
    assert.equal(slab.bytes.length, 50_000);
    assert.equal(slab.bytes.buffer.byteLength, 50_000);
    assert.equal(slab.at, 0);
    keep(slab, new Uint8Array(10), 0, 10, 3);
    assert.ok(slab.bytes.length <= 16 * 1024);
    assert.ok(small.length <= 16 * 1024);
  });

  it("copies a large one also when it is in one of Node's Buffers", () => {
    const slab = new Slab();
    const source = Buffer.alloc(100_000);
    const kept = keep(slab, source, 10, 50_000, 1);
    check([kept]);
    assert.equal(kept.bytes.buffer.byteLength, 50_000, "the chunk that it came in is not held alive");
  });
});
