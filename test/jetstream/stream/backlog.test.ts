import assert from "node:assert/strict";
import { it } from "node:test";
import { Backlog } from "../../../src/jetstream/stream/backlog.ts";

it("a backlog gives messages back in order, and counts what they take", () => {
  const backlog = new Backlog();
  const wait = (number: number): void =>
    backlog.push({
      subject: `${number}`,
      headers: undefined,
      payload: new Uint8Array(100),
      reply: "",
      sourced: false,
    });
  let pushed = 0;
  let seen = 0;
  for (const [more, less] of [
    [5_000, 3_000],
    [10, 2_010],
    [2_000, 1_999],
    [1, 2],
  ]) {
    for (let i = 0; i < more; i++) wait(pushed++);
    for (let i = 0; i < less; i++) {
      assert.equal(backlog.first?.subject, `${seen++}`);
      backlog.shift();
    }
    assert.equal(backlog.isEmpty, pushed === seen);
    assert.ok(backlog.bytes >= (pushed - seen) * 600 && backlog.bytes <= (pushed - seen) * 620);
  }
  assert.equal(backlog.bytes, 0);
  backlog.shift();
  wait(0);
  backlog.clear();
  assert.deepEqual([backlog.isEmpty, backlog.bytes, backlog.first], [true, 0, undefined]);
});
