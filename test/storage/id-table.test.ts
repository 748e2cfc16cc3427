/** The table that finds ids by hash: it finds what is there, grows a little at a time, and is the same when it was saved. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IdTable } from "../../src/storage/id-table.ts";
import { SavedArrays } from "../../src/storage/saved-arrays.ts";

/** Knows hashes, and counts how often it is asked. */
class Hashes {
  readonly #all: number[] = [];
  asked = 0;

  add(hash: number): number {
    return this.#all.push(hash | 0) - 1;
  }

  hashOf(id: number): number {
    this.asked += 1;
    return this.#all[id];
  }

  isFound(table: IdTable, id: number): boolean {
    const hash = this.#all[id];
    const part = table.part(hash);
    const mask = part.length - 1;
    for (let place = hash & mask; part[place] !== 0; place = (place + 1) & mask)
      if (part[place] === id + 1) return true;
    return false;
  }
}

/** A hash that is as good as chance, the same in each run. */
function spread(i: number): number {
  let hash = Math.imul(i ^ (i >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return hash ^ (hash >>> 15);
}

function filled(count: number, hashOf = spread): { table: IdTable; hashes: Hashes } {
  const table = new IdTable();
  const hashes = new Hashes();
  for (let i = 0; i < count; i++) table.insert(hashes.add(hashOf(i)), hashes);
  return { table, hashes };
}

function reloaded(table: IdTable): IdTable {
  const copy = new IdTable();
  for (const block of [...table.save()]) {
    const parts = block.map((each) => new Uint8Array(each.slice().buffer));
    copy.load(new SavedArrays(parts));
  }
  return copy;
}

describe("the table of ids", () => {
  it("grows a little at a time, however many ids there are", () => {
    const table = new IdTable();
    const hashes = new Hashes();
    let most = 0;
    for (let i = 0; i < 300_000; i++) {
      const id = hashes.add(spread(i));
      hashes.asked = 0;
      table.insert(id, hashes);
      most = Math.max(most, hashes.asked);
    }
    assert.ok(most < 1_100, `${most} hashes were asked for`);
    for (let id = 0; id < 300_000; id++) assert.ok(hashes.isFound(table, id), `${id}`);
  });

  it("finds what is there, and nothing else, when ids go and come", () => {
    const { table, hashes } = filled(50_000);
    for (let id = 0; id < 50_000; id++) if (id % 3 !== 0) table.remove(id, hashes);
    for (let id = 0; id < 50_000; id++) assert.equal(hashes.isFound(table, id), id % 3 === 0, `${id}`);
    for (let id = 0; id < 50_000; id++) if (id % 3 !== 0) table.insert(id, hashes);
    for (let id = 0; id < 50_000; id++) assert.ok(hashes.isFound(table, id), `${id}`);
  });

  it("finds ids of which the hashes are alike", () => {
    for (const hashOf of [() => 7, (i: number) => i << 20, (i: number) => i & 1, () => -1]) {
      const { table, hashes } = filled(3_000, hashOf);
      for (let id = 0; id < 3_000; id++) assert.ok(hashes.isFound(table, id), `${id}`);
    }
  });

  it("is the same when it was saved", () => {
    for (const count of [0, 10, 1_024, 1_025, 5_000, 200_000]) {
      const { table, hashes } = filled(count);
      assert.equal([...table.save()].length, table.blocks);
      const copy = reloaded(table);
      assert.equal(copy.blocks, table.blocks);
      for (let id = 0; id < count; id++) assert.ok(hashes.isFound(copy, id), `${id}`);
      // It goes on as the one that was saved does.
      for (let i = count; i < count + 5_000; i++) copy.insert(hashes.add(spread(i)), hashes);
      for (let id = 0; id < count + 5_000; id++) assert.ok(hashes.isFound(copy, id), `${id}`);
      for (let id = 0; id < count; id++) copy.remove(id, hashes);
      for (let id = count; id < count + 5_000; id++) assert.ok(hashes.isFound(copy, id), `${id}`);
    }
  });
});
