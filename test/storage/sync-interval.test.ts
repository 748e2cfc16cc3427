/**
 * Streams that are synced every so many ms (`sync_interval`, `persist_mode: async`): a power cut costs what is younger than that, and nothing else.
 * The cut is always the worst: nothing that no sync has covered comes through.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoreOptions, StreamStore } from "../../src/storage/store.ts";
import { settle, VirtualClock } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { DURABLE, openStorage } from "./file-support.ts";

const INTERVAL = 1_000;
const LATER: StoreOptions = { ...DURABLE, sync: INTERVAL };
/** A few messages fill a segment. */
const SEGMENT_BYTES = 300;

/** A store on a clock that the test moves, and what a power cut would leave of it. */
class Kept {
  readonly clock = new VirtualClock();
  readonly #disk = new SimulatedDisk();
  store!: StreamStore;

  static async open(options: StoreOptions = LATER): Promise<Kept> {
    const kept = new Kept();
    const storage = await openStorage(kept.#disk, SEGMENT_BYTES, kept.clock);
    kept.store = await storage.openStream(["streams", "S"], options);
    // What begins a segment is synced with its file.
    await kept.append(1);
    await kept.store.flush();
    return kept;
  }

  /** Stores messages; they count as stored when this is over. */
  async append(count: number): Promise<void> {
    for (let i = 0; i < count; i++)
      this.store.append("s", undefined, new TextEncoder().encode(`message ${i}`), this.clock.now());
    const { lastSeq } = this.store.state;
    for (let turns = 0; this.store.syncedSeq < lastSeq && turns < 1_000; turns++) await settle();
    assert.equal(this.store.syncedSeq, lastSeq, "its publisher has heard of it");
  }

  /** The last message that is there after a power cut now. */
  async left(): Promise<number> {
    const storage = await openStorage(
      this.#disk.crash(() => 0),
      SEGMENT_BYTES,
    );
    const store = await storage.openStream(["streams", "S"], LATER);
    const { lastSeq, messages } = store.state;
    assert.equal(messages, lastSeq, "what is there is a beginning");
    await storage.close();
    return lastSeq;
  }
}

for (const [what, count] of [
  ["one message", 1],
  ["messages of several segments", 40],
] as const) {
  test(`${what}: on disk when the interval is over`, async () => {
    const kept = await Kept.open();
    await kept.append(count);
    // Of several segments each is synced with what begins it, and when it is full.
    if (count === 1) assert.equal(await kept.left(), 1);
    await kept.clock.advance(INTERVAL - 1);
    if (count === 1) assert.equal(await kept.left(), 1);
    await kept.clock.advance(1);
    assert.equal(await kept.left(), 1 + count);
    // And so for those that come later.
    await kept.append(count);
    await kept.clock.advance(INTERVAL);
    assert.equal(await kept.left(), 1 + count * 2);
  });

  test(`${what}: there once they are flushed, the store is closed, or its stream wants each synced`, async () => {
    const flushed = await Kept.open();
    await flushed.append(count);
    await flushed.store.flush();
    assert.equal(await flushed.left(), 1 + count);

    const closed = await Kept.open();
    await closed.append(count);
    await closed.store.close();
    assert.equal(await closed.left(), 1 + count);

    const changed = await Kept.open();
    await changed.append(count);
    changed.store.configure(DURABLE);
    await changed.append(1);
    assert.equal(await changed.left(), 1 + count + 1);
  });
}
