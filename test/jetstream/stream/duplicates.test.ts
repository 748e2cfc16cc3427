/** The ids of messages of late: what is known of them, however many there are. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DuplicateWindow } from "../../../src/jetstream/stream/duplicates.ts";
import { IdQueue } from "../../../src/jetstream/stream/id-queue.ts";
import { type IdRef, SeenIds } from "../../../src/jetstream/stream/seen-ids.ts";
import { encodeText } from "../../../src/protocol/text.ts";
import type { Clock } from "../../../src/seams/clock.ts";
import { MemoryStore } from "../../../src/storage/memory-store.ts";
import { BusyClock } from "../../support/busy-clock.ts";
import { VirtualClock } from "../../support/simulated.ts";

const PAYLOAD = Uint8Array.of(1, 2, 3);
const RANDOM = { fill: (bytes: Uint8Array): void => void bytes.fill(7), fraction: (): number => 0 };

function setup(
  window = 1_000,
  clock: Clock = new VirtualClock(),
): { ids: DuplicateWindow; store: MemoryStore } {
  const store = new MemoryStore(clock, 7, { sync: "always", noteAge: window });
  return { store, ids: new DuplicateWindow(store, window, RANDOM) };
}

/** Forgets all that is old. Returns in how many steps. */
function expireAll(ids: DuplicateWindow, now: number): number {
  for (let steps = 1; ; steps++) {
    ids.expire(now);
    if ((ids.nextExpiry ?? Infinity) > now) return steps;
  }
}

describe("the window of ids", () => {
  it("knows an id until it is too old; when it comes again, from then on", () => {
    const { ids } = setup();
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
    const { ids } = setup();
    const count = 50_000;
    for (let seq = 1; seq <= count; seq++) ids.add(`id-${seq}`, seq, seq);
    assert.equal(ids.size, count);
    assert.equal(ids.seqOf("id-48999", 49_998), 48_999);
    assert.equal(ids.seqOf("id-48998", 49_998), 0);
    expireAll(ids, 49_998);
    assert.equal(ids.size, 1_002);
    assert.equal(ids.seqOf("id-48998", 49_998), 0);
    assert.equal(ids.seqOf("id-48999", 49_998), 48_999);
    expireAll(ids, count + 1_000);
    assert.equal(ids.size, 0);
  });

  it("forgets few at a time, however many are too old, and knows none of those that are left", () => {
    const { ids } = setup();
    for (let seq = 1; seq <= 10_000; seq++) ids.add(`id-${seq}`, seq, 0);
    assert.equal(ids.seqOf("id-10000", 1_000), 0);
    assert.ok(ids.size > 9_000, `${ids.size} are left`);
    ids.add("id-10000", 10_001, 1_000);
    assert.ok(expireAll(ids, 1_000) > 30);
    assert.equal(ids.seqOf("id-10000", 1_000), 10_001);
    assert.equal(ids.size, 1);
  });

  it("is read from the store with rests in between", async () => {
    const clock = new BusyClock(0);
    const { ids, store } = setup(1_000, clock);
    const now = clock.now();
    for (let seq = 1; seq <= 10_000; seq++)
      ids.add(`id-${seq}`, store.append("s", undefined, PAYLOAD, now), now);
    const again = new DuplicateWindow(store, 1_000, RANDOM);
    // Each look at the clock is as if what was done since the last had taken a turn's time.
    clock.cost = 1;
    let rests = 0;
    clock.after = (_delay, action) => {
      rests += 1;
      queueMicrotask(action);
      return { cancel() {} };
    };
    await again.load(clock);
    assert.ok(rests > 100, `${rests} rests`);
    assert.equal(again.size, 10_000);
    assert.equal(again.lastId, "id-10000");
    assert.equal(again.seqOf("id-77", now), 77);
  });

  it("forgets those of messages that come to nothing, and knows the last id again, also where it is too old to be a duplicate", () => {
    const { ids } = setup();
    for (let seq = 1; seq <= 3_000; seq++) ids.add(`id-${seq}`, seq, 0);
    ids.retract(1_025);
    assert.equal(ids.size, 1_024);
    assert.equal(ids.lastId, "id-1024");
    assert.equal(ids.seqOf("id-1024", 1), 1_024);
    assert.equal(ids.seqOf("id-1025", 1), 0);
    expireAll(ids, 1_000);
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
  it("find what a map finds, for as long as an id is in use, however long it is", () => {
    const below = numbers();
    const seen = new SeenIds(7);
    /** Of each id its messages, in order. */
    const model = new Map<string, { ref: IdRef; seq: number }[]>();
    const known = (id: string): number => model.get(id)?.at(-1)?.seq ?? 0;
    const end = (id: string): void => {
      const uses = model.get(id)!;
      const [{ ref, seq }] = uses.splice(0, 1);
      seen.release(ref, seq);
      if (uses.length === 0) model.delete(id);
    };
    for (const [steps, removals] of [
      [30_000, 1],
      [60_000, 9],
      [30_000, 1],
    ]) {
      for (let step = 1; step <= steps; step++) {
        const number = below(10_000);
        const id = number % 1_000 === 0 ? `${"long ".repeat(20_000)}${number}` : `id ${number} é`;
        if (below(10) < removals) {
          if (model.has(id)) end(id);
        } else {
          const bytes = encodeText(`..${id}`);
          const ref =
            step % 2 === 0 ? seen.set(id, step, step) : seen.setBytes(bytes, 2, bytes.length, step, step);
          assert.equal(seen.textOf(ref), id);
          model.set(id, [...(model.get(id) ?? []), { ref, seq: step }]);
        }
        const other = `id ${below(10_000)} é`;
        const seq = known(other);
        assert.equal(seen.seqOf(other, 0), seq);
        assert.equal(seen.seqOf(other, seq), 0);
        assert.equal(seen.size, model.size);
      }
      for (const id of [...model.keys()]) while (model.has(id)) end(id);
      assert.equal(seen.size, 0);
    }
  });

  it("keep the order, whichever end is taken from", () => {
    const below = numbers();
    const queue = new IdQueue();
    const model: { ref: IdRef; seq: number; time: number }[] = [];
    for (let step = 1; step <= 100_000; step++) {
      // At times it grows to many parts, at times it is empty.
      const taking = Math.floor(step / 10_000) % 2 === 0 ? 3 : 8;
      if (model.length > 0 && below(10) < taking) {
        if (below(2) === 0) {
          const { ref, seq } = model.shift()!;
          assert.deepEqual(queue.shift(), { ref, seq });
        } else {
          model.pop();
          queue.pop();
        }
      } else {
        const ref = step % 100 === 0 ? `${step}` : step;
        model.push({ ref, seq: step, time: step * 2 });
        queue.push(ref, step, step * 2);
      }
      const last = model[model.length - 1];
      assert.equal(queue.firstTime, model[0]?.time);
      assert.deepEqual(queue.last, last && { ref: last.ref, seq: last.seq });
    }
  });
});
