/** Lent arrays are large enough, are nobody else's, and are lent again once they are given back; only so many are kept. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BufferPool, LARGE_BUFFER } from "../../src/protocol/buffer-pool.ts";
import { fc } from "../support/protocol-check.ts";

describe("BufferPool", () => {
  it("lends at least what is asked for", () => {
    const pool = new BufferPool();
    for (const room of [
      0,
      1,
      2_048,
      2_049,
      LARGE_BUFFER,
      LARGE_BUFFER + 1,
      262_144,
      1_064_960,
      1_064_961,
      5_000_000,
    ]) {
      const buffer = pool.take(room);
      assert.ok(buffer.length >= room && buffer.length > 0);
      assert.equal(buffer.length, buffer.buffer.byteLength);
    }
    assert.equal(pool.take(LARGE_BUFFER).length, LARGE_BUFFER);
    assert.equal(pool.take(2_000_000).length, 2_000_000);
  });

  it("lends again what was given back", () => {
    const pool = new BufferPool();
    for (const room of [10, LARGE_BUFFER, 200_000, 1_000_000]) {
      const buffer = pool.take(room);
      pool.give(buffer);
      assert.equal(pool.take(room), buffer);
      assert.notEqual(pool.take(room), buffer);
    }
  });

  it("takes no array that it does not lend", () => {
    const pool = new BufferPool();
    const own = new Uint8Array(3_000);
    pool.give(own);
    pool.give(new Uint8Array(0));
    for (const room of [0, 3_000]) assert.notEqual(pool.take(room), own);
    const huge = pool.take(3_000_000);
    pool.give(huge);
    assert.notEqual(pool.take(3_000_000), huge);
  });

  it("keeps only so many", () => {
    const pool = new BufferPool();
    const given = new Set<Uint8Array>(Array.from({ length: 1_000 }, () => new Uint8Array(LARGE_BUFFER / 32)));
    for (const buffer of given) pool.give(buffer);
    const again = Array.from({ length: 1_000 }, () => pool.take(1)).filter((buffer) => given.has(buffer));
    assert.ok(again.length > 0 && again.length <= 256, `${again.length} were kept`);
    const large = new Set<Uint8Array>(Array.from({ length: 20 }, () => pool.take(1_000_000)));
    for (const buffer of large) pool.give(buffer);
    const kept = Array.from({ length: 20 }, () => pool.take(1_000_000)).filter((buffer) => large.has(buffer));
    assert.ok(kept.length > 0 && kept.length <= 4, `${kept.length} were kept`);
  });

  it("never lends one array to two", () => {
    const room = fc.oneof(fc.nat(2_048), fc.nat(LARGE_BUFFER), fc.nat(300_000));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), room), { maxLength: 60 }), (steps) => {
        const pool = new BufferPool();
        const lent: Uint8Array[] = [];
        for (const [take, room] of steps) {
          if (take || lent.length === 0) {
            const buffer = pool.take(room);
            assert.ok(buffer.length >= room);
            assert.ok(!lent.includes(buffer));
            lent.push(buffer);
          } else {
            pool.give(lent.splice(room % lent.length, 1)[0]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
