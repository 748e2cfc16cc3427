import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MemoryDisk } from "../../src/storage/memory-disk.ts";
import { SeqSet } from "../../src/storage/seq-set.ts";
import type { StreamStore } from "../../src/storage/store.ts";
import { openStream } from "./file-support.ts";

const DIRECTORY = "data/streams/%53";

/** Chance that is the same in each run. */
function chances(): (options: number) => number {
  let state = 7;
  return (options) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * options);
  };
}

async function check(store: StreamStore, expected: ReadonlyMap<string, number>): Promise<void> {
  assert.equal(store.state.messages, expected.size);
  assert.equal(store.state.subjects, expected.size);
  for (const [subject, seq] of expected) {
    assert.equal(store.subject(subject)?.lastSeq, seq, subject);
    assert.equal(store.subjectOf(seq), subject);
  }
  const filter = store.filter(["s.>"]);
  const seqs = [...expected.values()].sort((a, b) => a - b);
  assert.deepEqual(await store.lastOfEach(filter), seqs);
  assert.equal((await store.count(filter, 1)).count, seqs.length);
  filter.close();
  for (const seq of seqs.slice(0, 500)) {
    const message = await store.get(seq);
    assert.equal(Buffer.from(message!.payload).toString(), String(seq));
    assert.equal(message!.ttl, seq % 3 === 0 ? seq : 0);
  }
}

test("tens of thousands of subjects that come and go, in any order: found by what is in memory, the index, and the records", async () => {
  const disk = new MemoryDisk();
  let { storage, store } = await openStream(disk, 512 * 1024);
  const chance = chances();
  const expected = new Map<string, number>();
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 6000; i++) {
      const seq = store.state.lastSeq + 1;
      const subject = `s.${round}.${"subject".repeat(1 + (i % 9))}.${i}`;
      store.append(
        subject,
        undefined,
        new Uint8Array(Buffer.from(String(seq))),
        1e6 + seq,
        seq % 3 === 0 ? seq : 0,
      );
      expected.set(subject, seq);
    }
    // All in one go, so that they are in many records of one commit.
    for (const [subject, seq] of expected) {
      if (chance(10) < 7) {
        assert.ok(store.remove(seq));
        expected.delete(subject);
      }
    }
    await store.flush();
    await check(store, expected);
    await storage.close();
    if (round % 2 === 1) await disk.unlink(`${DIRECTORY}/stream.index`);
    ({ storage, store } = await openStream(disk, 512 * 1024));
    await check(store, expected);
  }
  const due = [...expected.values()].filter((seq) => seq % 3 === 0 && 1e6 + seq * 1001 <= 3.5e7);
  assert.ok(due.length > 100);
  assert.deepEqual(
    store.expired(3.5e7, 0, 1e6, true),
    due.sort((a, b) => a - b),
  );
  assert.equal(store.expired(3.5e7, 0, 10, true).length, 10);
  assert.equal(store.nextExpiry(0, true)! <= 1e6 + due[0] * 1001, true);
  assert.equal(await store.purge({ keep: 100 }), expected.size - 100);
  await storage.close();
});

test("a set of sequences has the ranges that were added", () => {
  const range = fc
    .tuple(fc.nat(60_000), fc.nat(40_000))
    .map(([first, length]) => [first, first + (length >> (length % 16))]);
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), (ranges) => {
      const set = new SeqSet();
      const expected = new Set<number>();
      for (const [first, last] of ranges) {
        set.add(first, last);
        for (let seq = first; seq <= last; seq++) expected.add(seq);
      }
      const found: number[] = [];
      for (const [first, last] of set.ranges()) for (let seq = first; seq <= last; seq++) found.push(seq);
      assert.deepEqual(
        found,
        [...expected].sort((a, b) => a - b),
      );
    }),
    { numRuns: 60 },
  );
});
