/** The notes of a stream: their order, where they are, what is forgotten, and what comes back. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeText } from "../../src/protocol/text.ts";
import { MemoryDisk } from "../../src/storage/memory-disk.ts";
import { type KeptNote, NoteList, type NotePlace } from "../../src/storage/note-list.ts";
import { Segment } from "../../src/storage/segment.ts";

const context = { disk: new MemoryDisk() };
const [A, B, C] = [1, 2, 3].map(
  (i) => new Segment(context, "s", { firstSeq: i, generation: i, salt: i, cipher: undefined }, undefined),
);

function note(i: number, segment = A): KeptNote {
  return {
    time: i,
    bytes: encodeText(`note ${i} ${"x".repeat(i % 50)}`),
    place: { segment, position: i * 8 },
  };
}

function shown(list: NoteList): string[] {
  return [...list].map(({ time, bytes, place }) => {
    const text = Buffer.from(bytes).toString().replace(/ x*$/, "");
    return `${text} at ${time} in ${place.segment.generation}:${place.position}`;
  });
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function moveAll(list: NoteList, from: Segment, horizon: number, to: (time: number) => NotePlace): void {
  for (const part of list.parts) part.move(new Set([from]), horizon, (_bytes, time) => to(time));
}

describe("notes", () => {
  it("are what they were, in order", () => {
    const list = new NoteList(range(0, 3_000).map((i) => note(i)));
    list.add(note(3_000, B));
    assert.equal(list.parts.length, 3);
    assert.deepEqual(
      shown(list),
      [...range(0, 3_000).map((i) => [i, 1]), [3_000, 2]].map(
        ([i, g]) => `note ${i} at ${i} in ${g}:${i * 8}`,
      ),
    );
    assert.deepEqual([...list][1_234].bytes, note(1_234).bytes);
  });

  it("do not depend on the array that they came in", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const list = new NoteList([]);
    list.add({ time: 0, bytes, place: { segment: A, position: 0 } });
    bytes.fill(9);
    assert.deepEqual([...list][0].bytes, Uint8Array.of(1, 2, 3));
  });

  it("go from the front when all of a part are too old", () => {
    const list = new NoteList(range(0, 2_500).map((i) => note(i)));
    list.expire(1_023);
    assert.equal(shown(list).length, 2_500);
    list.expire(1_024);
    assert.equal(shown(list)[0], "note 1024 at 1024 in 1:8192");
    list.expire(1_000_000);
    assert.deepEqual(
      list.parts.map(({ length }) => length),
      [452],
    );
  });

  it("that were written once more are there, or, if that comes to nothing, where they were", () => {
    const list = new NoteList([note(0), note(1), note(2, B)]);
    moveAll(list, A, 1, (time) => ({ segment: C, position: time }));
    assert.deepEqual(
      shown(list).map((text) => text.replace(/.* in /, "")),
      ["1:0", "3:1", "2:16"],
    );
    list.undo(({ segment }) => segment !== C);
    assert.deepEqual(
      shown(list).map((text) => text.replace(/.* in /, "")),
      ["1:0", "1:8", "2:16"],
    );
    moveAll(list, A, 1, (time) => ({ segment: C, position: time }));
    for (const part of list.parts) part.settle();
    list.undo(({ segment }) => segment !== A);
    assert.deepEqual(shown(list), ["note 1 at 1 in 3:1", "note 2 at 2 in 2:16"]);
  });

  it("that have come to nothing are forgotten, and others come after", () => {
    const list = new NoteList(range(0, 2_000).map((i) => note(i, i < 1_500 ? A : B)));
    list.undo(({ segment, position }) => segment === A && position >= 1_024 * 8);
    assert.equal(list.parts.length, 1);
    list.add(note(5_000));
    assert.deepEqual(
      shown(list),
      [...range(1_024, 1_500), 5_000].map((i) => `note ${i} at ${i} in 1:${i * 8}`),
    );
  });

  it("are where they are, however often they are written once more", () => {
    const list = new NoteList(range(0, 1_024).map((i) => note(i)));
    const [part] = list.parts;
    let from = A;
    for (let round = 0; round < 5_000; round++) {
      const next = new Segment(
        context,
        "s",
        { firstSeq: 1, generation: round + 10, salt: 1, cipher: undefined },
        undefined,
      );
      // The first few notes stay behind, each in a segment of its own.
      part.move(new Set([from]), Math.min(round, 20), () => ({ segment: next, position: round * 8 }));
      part.settle();
      from = next;
    }
    const places = [...list].map(({ place }) => `${place.segment.generation}:${place.position}`);
    assert.deepEqual(
      places,
      range(0, 1_024).map((i) => (i < 20 ? `${i + 10}:${i * 8}` : "5009:39992")),
    );
  });
});
