import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PendingAcks } from "../../../src/jetstream/stream/pending-acks.ts";

test("those that wait are taken in order, once, up to a sequence", () => {
  const script = fc.array(
    fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 3_000 }) }),
      fc.record({ take: fc.integer({ min: 0, max: 5_000 }) }),
    ),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(script, (steps) => {
      const pending = new PendingAcks();
      let last = 0;
      let taken = 0;
      for (const step of steps) {
        if ("push" in step) {
          for (let i = 0; i < step.push; i++) {
            last += 1;
            pending.push(last, `reply ${last}`, last % 7);
          }
          continue;
        }
        const through = taken + step.take;
        pending.take(through, (seq, reply, size) => {
          taken += 1;
          assert.deepEqual([seq, reply, size], [taken, `reply ${taken}`, taken % 7]);
        });
        assert.equal(taken, Math.min(last, through));
        let bytes = 0;
        for (let seq = taken + 1; seq <= last; seq++) bytes += seq % 7;
        assert.equal(pending.bytes, bytes);
      }
    }),
  );
});

test("whoever hears of one may add others, which wait behind all that is there", () => {
  const pending = new PendingAcks();
  for (let seq = 1; seq <= 64; seq++) pending.push(seq, "", 1);
  const heard: number[] = [];
  let last = 64;
  pending.take(10_000, (seq) => {
    heard.push(seq);
    for (let i = 0; i < 3 && last < 20_000; i++) pending.push(++last, "", 1);
  });
  assert.deepEqual(
    heard,
    Array.from({ length: 10_000 }, (_, i) => i + 1),
  );
  assert.equal(pending.bytes, 10_000);
});
