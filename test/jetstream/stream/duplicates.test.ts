/** The ids of messages of late: what is known of them, however many there are. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DuplicateWindow } from "../../../src/jetstream/stream/duplicates.ts";
import { IdQueue } from "../../../src/jetstream/stream/id-queue.ts";
import { SeenIds } from "../../../src/jetstream/stream/seen-ids.ts";
import { MemoryStore } from "../../../src/storage/memory-store.ts";
import { VirtualClock } from "../../support/simulated.ts";

function setup(window = 1_000): DuplicateWindow {
  const store = new MemoryStore(new VirtualClock(), 7, { sync: "always", noteAge: window });
  return new DuplicateWindow(store, window, 0);
}

describe("the window of ids", () => {
  it("knows an id until it is too old; when it comes again, from then on", () => {
    const ids = setup();
    ids.add("a", 1, 0);
    ids.add("b", 2, 10);
    assert.equal(ids.nextExpiry, 1_000);
    assert.equal(ids.seqOf("a", 999), 1);
    ids.add("a", 3, 500);
    assert.equal(ids.seqOf("a", 1_000), 3);
    assert.equal(ids.nextExpiry, 1_010);
    assert.equal(ids.seqOf("b", 1_010), 0);
    assert.equal(ids.seqOf("a", 1_500), 0);
    assert.equal(ids.nextExpiry, undefined);
    assert.equal(ids.size, 0);
  });

  it("keeps tens of thousands of them, and forgets them in their order", () => {
    const ids = setup();
    const count = 50_000;
    for (let seq = 1; seq <= count; seq++) ids.add(`id-${seq}`, seq, seq);
    assert.equal(ids.size, count);
    assert.equal(ids.seqOf("id-48999", 49_998), 48_999);
    assert.equal(ids.size, 1_002);
    assert.equal(ids.seqOf("id-48998", 49_998), 0);
    ids.expire(count + 1_000);
    assert.equal(ids.size, 0);
  });

  it("forgets those of messages that come to nothing, and knows the last id again, also where it is too old to be a duplicate", () => {
    const ids = setup();
    for (let seq = 1; seq <= 3_000; seq++) ids.add(`id-${seq}`, seq, 0);
    ids.retract(1_025);
    assert.equal(ids.size, 1_024);
    assert.equal(ids.lastId, "id-1024");
    assert.equal(ids.seqOf("id-1024", 1), 1_024);
    assert.equal(ids.seqOf("id-1025", 1), 0);
    ids.expire(1_000);
    ids.add("new", 1_025, 1_001);
    ids.retract(1_025);
    assert.equal(ids.lastId, "id-1024");
    ids.add("", 1_025, 1_002);
    ids.add("newer", 1_026, 1_003);
    ids.retract(1_026);
    assert.equal(ids.lastId, "");
  });
});

/** Whole numbers below `limit`, the same in each run. */
function numbers(): (limit: number) => number {
  let state = 7;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

describe("the tables of ids", () => {
  it("find what a map finds, also when they are divided, and whole again", () => {
    const below = numbers();
    const seen = new SeenIds();
    const model = new Map<string, number>();
    for (const [steps, removals] of [
      [30_000, 1],
      [60_000, 9],
      [30_000, 1],
    ]) {
      for (let step = 1; step <= steps; step++) {
        const id = `id ${below(10_000)}`;
        if (below(10) < removals) {
          seen.delete(id);
          model.delete(id);
        } else {
          seen.set(id, step);
          model.set(id, step);
        }
        const other = `id ${below(10_000)}`;
        assert.equal(seen.get(other), model.get(other));
        assert.equal(seen.has(other), model.has(other));
        assert.equal(seen.size, model.size);
      }
      for (const id of model.keys()) seen.delete(id);
      model.clear();
      assert.equal(seen.size, 0);
    }
  });

  it("keep the order, whichever end is taken from", () => {
    const below = numbers();
    const queue = new IdQueue();
    const model: { id: string; seq: number; time: number }[] = [];
    for (let step = 1; step <= 100_000; step++) {
      // At times it grows to many parts, at times it is empty.
      const taking = Math.floor(step / 10_000) % 2 === 0 ? 3 : 8;
      if (model.length > 0 && below(10) < taking) {
        if (below(2) === 0) {
          const { id, seq } = model.shift()!;
          assert.deepEqual(queue.shift(), { id, seq });
        } else {
          model.pop();
          queue.pop();
        }
      } else {
        model.push({ id: `${step}`, seq: step, time: step * 2 });
        queue.push(`${step}`, step, step * 2);
      }
      const last = model[model.length - 1];
      assert.equal(queue.firstTime, model[0]?.time);
      assert.deepEqual(queue.last, last && { id: last.id, seq: last.seq });
    }
  });
});
