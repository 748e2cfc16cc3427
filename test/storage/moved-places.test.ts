/** Where removed messages are that a merge has moved. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MovedPlaces } from "../../src/storage/moved-places.ts";

describe("places of moved messages", () => {
  it("are found for those that are asked for; the last one counts", () => {
    const moved = new MovedPlaces();
    for (let seq = 1; seq <= 1_000; seq++) moved.add(seq, seq * 10, 5);
    moved.add(7, 71, 6);
    assert.deepEqual(
      [...moved.of(new Set([999, 7, 2_000]))],
      [
        [7, 71],
        [999, 9_990],
      ],
    );
  });

  it("are kept until all removals up to then are on disk, and no longer", () => {
    const moved = new MovedPlaces();
    moved.add(1, 10, 5);
    moved.add(2, 20, 6);
    moved.settle(5);
    assert.equal(moved.size, 2);
    moved.settle(6);
    assert.equal(moved.size, 0);
    moved.add(3, 30, 9);
    moved.clear();
    assert.equal(moved.of(new Set([3])).size, 0);
  });
});
