/** The notes that recovery finds: in order of their times, each once, however many there are. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeText } from "../../src/protocol/text.ts";
import { FoundNotes } from "../../src/storage/found-notes.ts";
import { MemoryDisk } from "../../src/storage/memory-disk.ts";
import type { NoteList } from "../../src/storage/note-list.ts";
import { Pacer } from "../../src/storage/pacer.ts";
import { Segment } from "../../src/storage/segment.ts";
import { BusyClock, RestingClock } from "../support/busy-clock.ts";

const name = { firstSeq: 1, generation: 1, salt: 1, cipher: undefined };
const segment = new Segment({ disk: new MemoryDisk() }, "s", name, undefined);

function found(notes: readonly (readonly [time: number, text: string])[]): FoundNotes {
  const all = new FoundNotes();
  for (const [i, [time, text]] of notes.entries())
    all.add({ time, bytes: encodeText(text), place: { segment, position: i } });
  return all;
}

function shown(list: NoteList): string[] {
  return [...list].map(
    ({ time, bytes, place }) => `${Buffer.from(bytes).toString()} at ${time}, ${place.position}`,
  );
}

async function all(notes: readonly (readonly [number, string])[]): Promise<string[]> {
  return shown(await found(notes).all(new Pacer(new BusyClock(0))));
}

describe("notes that are found", () => {
  it("are in the order of their times; those of one time as they were found", async () => {
    assert.deepEqual(await all([]), []);
    assert.deepEqual(
      await all([
        [1, "a"],
        [3, "b"],
        [3, "c"],
        [2, "d"],
        [3, "e"],
        [0, "f"],
        [2, "g"],
        [9, "h"],
      ]),
      [
        "f at 0, 5",
        "a at 1, 0",
        "d at 2, 3",
        "g at 2, 6",
        "b at 3, 1",
        "c at 3, 2",
        "e at 3, 4",
        "h at 9, 7",
      ],
    );
  });

  it("are one when they were found again, where that was last", async () => {
    assert.deepEqual(
      await all([
        [1, "a"],
        [2, "b"],
        [2, "c"],
        [1, "a"],
        [2, "b"],
        [1, "b"],
        [1, "a"],
        [3, "a"],
      ]),
      ["a at 1, 6", "b at 1, 5", "b at 2, 4", "c at 2, 2", "a at 3, 7"],
    );
  });

  it("are what sorting them and a map of them gives, whatever their order", async () => {
    let state = 7;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let round = 0; round < 200; round++) {
      const notes = Array.from({ length: below(60) }, () => [below(20), `${below(4)}`] as const);
      const model = new Map<string, string>();
      const last = new Map<string, number>();
      for (const [i, [time, text]] of notes.entries()) {
        model.set(`${time} ${text}`, text);
        last.set(`${time} ${text}`, i);
      }
      const keys = [...model.keys()].sort();
      const expected = keys
        .map((key) => `${model.get(key)} at ${key.split(" ")[0]}, ${last.get(key)}`)
        .sort();
      const result = await all(notes);
      assert.deepEqual([...result].sort(), expected);
      const times = result.map((text) => Number(/at (\d+)/.exec(text)![1]));
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
      );
    }
  });

  it("leave others their turn, however many there are", async () => {
    const clock = new RestingClock(1);
    const notes = Array.from({ length: 50_000 }, (_, i) => [i % 40_000, `note ${i}`] as const);
    const list = await found(notes).all(new Pacer(clock));
    assert.equal(shown(list).length, 50_000);
    assert.ok(clock.rests > 500, `${clock.rests} rests`);
  });
});
