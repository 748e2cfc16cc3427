/** Compressing in steps: it is the same as at once, and others have their turn in between. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { maxEncodedLength, S2BlockEncoder } from "../../src/s2/block-encoder.ts";
import type { DiskFile } from "../../src/seams/disk.ts";
import { CompressedWriter } from "../../src/storage/compressed-writer.ts";
import { MemoryDisk } from "../../src/storage/memory-disk.ts";
import { Pacer } from "../../src/storage/pacer.ts";
import { BusyClock, RestingClock } from "../support/busy-clock.ts";

const BLOCK = 64 * 1024;

/** Text that is alike here and there, and some bytes that are not. */
function block(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const text = state % 3 === 0 ? `${state}` : `the ${state % 1_000} same`;
    for (let i = 0; i < text.length && at < length; i++)
      bytes[at++] = text.charCodeAt(i) ^ (state % 7 === 0 ? i : 0);
  }
  return bytes;
}

async function compressed(blocks: readonly Uint8Array[], clock: BusyClock): Promise<Uint8Array> {
  const disk = new MemoryDisk();
  const file: DiskFile = await disk.open("f", true);
  const size = blocks.reduce((sum, { length }) => sum + length, 0);
  const writer = new CompressedWriter(file, 7, size, BLOCK, undefined, new Pacer(clock));
  for (const each of blocks) await writer.add(each);
  await writer.finish();
  const all = new Uint8Array(await file.size());
  await file.read(all, 0);
  return all;
}

describe("compressing", () => {
  it("in steps of any size is the same as at once", () => {
    const encoder = new S2BlockEncoder();
    for (const length of [0, 1, 15, 18, 19, 20, 100, 5_000, BLOCK]) {
      for (const seed of [1, 2, 3]) {
        const plain = block(length, seed);
        const whole = new Uint8Array(maxEncodedLength(length) + 5);
        const end = encoder.encode(plain, length, whole, 5);
        for (const step of [1, 7, 1_000, BLOCK]) {
          const pieces = new Uint8Array(whole.length);
          encoder.start(plain, length, pieces, 5);
          while (!encoder.step(step));
          assert.equal(encoder.end, end);
          assert.deepEqual(pieces, whole);
        }
      }
    }
  });

  it("leaves others their turn within a block, and what is written is the same", async () => {
    const blocks = [1, 2, 3, 4].map((seed) => block(BLOCK, seed));
    const clock = new RestingClock(1);
    const resting = await compressed(blocks, clock);
    assert.ok(clock.rests >= 4 * 6, `${clock.rests} rests`);
    assert.deepEqual(resting, await compressed(blocks, new BusyClock(0)));
  });
});
