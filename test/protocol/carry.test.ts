/** Half a line or half a message waits until the chunks that follow complete it, and borrows no more than what has come needs. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Carry, UNFILLED } from "../../src/protocol/carry.ts";
import { bytesOf, latin1 } from "../support/protocol-bytes.ts";
import { fc } from "../support/protocol-check.ts";
import { WatchedPool } from "../support/protocol-sinks.ts";

describe("Carry", () => {
  it("takes a line up to its end and a payload up to its last byte, and not what follows", () => {
    const part = fc.string({ unit: fc.constantFrom("a", "b", "\r", " "), maxLength: 20 });
    fc.assert(
      fc.property(
        part,
        fc.nat(30),
        part,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (line, size, rest, sizes) => {
          const pool = new WatchedPool();
          const carry = new Carry(pool);
          const whole = `${line}\n${"\n".repeat(size)}`;
          const input = bytesOf(whole + rest);
          let at = 0;
          for (let i = 0; ; i++) {
            const chunk = input.slice(at, at + sizes[i % sizes.length]);
            let pos = carry.fill(chunk, 0);
            if (pos !== UNFILLED && carry.need === 0) {
              assert.equal(latin1(carry.bytes, 0, carry.length), `${line}\n`, "the line is complete");
              carry.need = whole.length;
              pos = carry.fill(chunk, pos);
            }
            chunk.fill(0);
            if (pos === UNFILLED) {
              at += chunk.length;
              continue;
            }
            assert.equal(at + pos, whole.length, "what follows is left in the chunk");
            break;
          }
          assert.equal(latin1(carry.bytes, 0, carry.length), whole);
          assert.equal(pool.lent, 1);
          carry.release();
          assert.deepEqual([carry.length, carry.need, carry.bytes.length, pool.lent], [0, 0, 0, 0]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("has no room for what was only announced", () => {
    const pool = new WatchedPool();
    const carry = new Carry(pool);
    carry.need = 100_000_000;
    for (let came = 1; came <= 1_000_000; came *= 10) {
      carry.add(new Uint8Array(came), 0, came);
      assert.ok(pool.largest <= carry.length * 2);
    }
    carry.release();
    assert.equal(pool.lent, 0);
  });
});
