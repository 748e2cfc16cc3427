import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryDisk } from "../../src/storage/memory-disk.ts";
import type { Segment } from "../../src/storage/segment.ts";
import { type Window, WindowCache } from "../../src/storage/window-cache.ts";
import { openStream } from "./file-support.ts";

const SIZE = 1_024;

/** A cache that has room for some windows, of which a quarter may be read in passing; and what is put off to another turn. */
function newCache(windows: number): { cache: WindowCache; segment: Segment; turn: () => void } {
  const later: (() => void)[] = [];
  const tasks = {
    soon: (action: () => void) => action(),
    later: (action: () => void) => void later.push(action),
  };
  const segment = {
    windows: [] as Window[],
    async read(into: Uint8Array, position: number) {
      into.fill(position / SIZE);
      return into.length;
    },
  } as unknown as Segment;
  const turn = (): void => {
    for (const action of later.splice(0)) action();
  };
  return { cache: new WindowCache(windows * SIZE, tasks), segment, turn };
}

test("an array of a window that was read in passing is used again, from the next turn on", async () => {
  const { cache, segment, turn } = newCache(4);
  const load = (at: number): Promise<Window> => cache.load(segment, at * SIZE, SIZE, true);
  const first = await load(1);
  const others = [await load(2), await load(3), await load(4), await load(5)];
  assert.equal(cache.find(segment, SIZE), undefined, "the first is not there any more");
  assert.ok(others.every(({ bytes }) => bytes !== first.bytes));
  assert.equal(first.bytes[0], 1, "whoever looks at it may do so until the turn ends");
  turn();
  const again = await load(6);
  assert.equal(again.bytes, first.bytes);
  assert.equal(again.bytes[0], 6);
  assert.equal(cache.find(segment, 6 * SIZE), again);
});

test("new records come into zeros, in arrays that were used before", async () => {
  const { cache, segment, turn } = newCache(2);
  const first = await cache.load(segment, SIZE, SIZE, false);
  await cache.load(segment, 2 * SIZE, SIZE, false);
  assert.notEqual(cache.zeros(SIZE).bytes, first.bytes);
  await cache.load(segment, 3 * SIZE, SIZE, false);
  turn();
  const room = cache.zeros(SIZE);
  assert.equal(room.bytes, first.bytes);
  assert.ok(room.bytes.every((byte) => byte === 0));
  assert.notEqual(cache.zeros(SIZE).bytes, first.bytes, "it is used once");
});

test("a segment that is forgotten gives its arrays back", async () => {
  const { cache, segment, turn } = newCache(4);
  const first = await cache.load(segment, SIZE, SIZE, false);
  const lent = await cache.load(segment, 2 * SIZE, SIZE, false);
  lent.lent = true;
  cache.forget(segment);
  turn();
  const next = [cache.zeros(SIZE).bytes, cache.zeros(SIZE).bytes];
  assert.ok(next.includes(first.bytes) && !next.includes(lent.bytes));
});

test("an array of which somebody may have kept a part is not used again", async () => {
  const { cache, segment, turn } = newCache(4);
  const load = (at: number, passing = true): Promise<Window> => cache.load(segment, at * SIZE, SIZE, passing);
  const lent = await load(1);
  lent.lent = true;
  const kept = await load(2, false);
  for (let at = 3; at < 30; at++) {
    await load(at);
    turn();
  }
  assert.equal(lent.bytes[0], 1);
  assert.equal(kept.bytes[0], 2);
});

test("of a stream that is larger than the cache, readers who borrow get what was stored, and what others were given stays", async () => {
  const disk = new MemoryDisk();
  const count = 6_000;
  const payloadOf = (seq: number): Uint8Array => new Uint8Array(16_000).fill(seq % 251);
  {
    const { storage, store } = await openStream(disk);
    for (let seq = 1; seq <= count; seq++) {
      store.append("s", undefined, payloadOf(seq), seq);
      if (seq % 500 === 0) await store.flush();
    }
    await storage.close();
  }
  const { storage, store } = await openStream(disk);
  const kept: { readonly seq: number; readonly payload: Uint8Array }[] = [];
  const same = (payload: Uint8Array, seq: number): boolean =>
    [0, 5_000, 15_999].every((at) => payload[at] === seq % 251);
  const read = async (step: number): Promise<void> => {
    for (let seq = step; seq <= count; seq += step) {
      const borrowed = store.borrow(seq);
      const { payload } = (borrowed instanceof Promise ? await borrowed : borrowed)!;
      assert.ok(payload.length === 16_000 && same(payload, seq), `${seq}, borrowed`);
      if (seq % 97 !== 0) continue;
      kept.push((await store.get(seq))!);
    }
  };
  await Promise.all([read(1), read(3), read(20)]);
  for (const { seq, payload } of kept) assert.ok(same(payload, seq), `${seq}, kept`);
  await storage.close();
});

test("while more is stored than the cache holds, what is borrowed is right at once, and what others were given stays", async () => {
  const disk = new MemoryDisk();
  const count = 12_000;
  const size = (seq: number): number => 6_000 + (seq % 3_001);
  const payloadOf = (seq: number): Uint8Array => new Uint8Array(size(seq)).fill(seq % 251);
  const isRight = (payload: Uint8Array, seq: number): boolean =>
    payload.length === size(seq) && [0, 3_000, payload.length - 1].every((at) => payload[at] === seq % 251);
  const { storage, store } = await openStream(disk);
  const kept: { readonly seq: number; readonly payload: Uint8Array }[] = [];
  for (let seq = 1; seq <= count; seq++) {
    store.append("s", undefined, payloadOf(seq), seq);
    for (const before of [seq, seq - 40]) {
      const borrowed = store.borrow(Math.max(1, before));
      assert.ok(
        !(borrowed instanceof Promise) && isRight(borrowed!.payload, borrowed!.seq),
        `${before}, borrowed`,
      );
    }
    if (seq % 1_000 === 7) kept.push((await store.get(seq))!);
    if (seq % 300 === 0) await store.flush();
  }
  await store.flush();
  for (const { seq, payload } of kept) assert.ok(isRight(payload, seq), `${seq}, kept`);
  await storage.close();
  const again = await openStream(disk);
  for (let seq = 1; seq <= count; seq++) {
    const borrowed = again.store.borrow(seq);
    const { payload } = (borrowed instanceof Promise ? await borrowed : borrowed)!;
    assert.ok(isRight(payload, seq), `${seq}, read again`);
  }
  await again.storage.close();
});
