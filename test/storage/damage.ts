import assert from "node:assert/strict";
import type { StoredMessage } from "../../src/storage/store.ts";
import { settle } from "../support/simulated.ts";
import { SimulatedDisk } from "../support/simulated-disk.ts";
import { BLOCK, DURABLE, type KeptOptions, openStream } from "./file-support.ts";

const SEGMENT = 900;
export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const payloadOf = (seq: number): string => `payload ${seq} `.repeat(1 + (seq % 4));

/** A small store of several segments, with removals, some of which may have been merged, and that may have been closed in order; and what is in it. */
export async function smallStore(
  closed: boolean,
  merged = false,
  options: KeptOptions = DURABLE,
): Promise<{ disk: SimulatedDisk; messages: Map<number, StoredMessage> }> {
  const disk = new SimulatedDisk();
  const { storage, store } = await openStream(disk, SEGMENT, options);
  for (let seq = 1; seq <= 18; seq++) {
    const headers = seq % 3 === 0 ? bytes("NATS/1.0\r\nA: b\r\n\r\n") : undefined;
    store.append(`s.${seq % 5}`, headers, bytes(payloadOf(seq)), 1000 + seq);
    if (seq % 6 === 0) store.remove(seq - 2);
    await store.flush();
  }
  if (merged) {
    for (const seq of [1, 2, 5, 7, 8, 9]) store.remove(seq);
    await store.flush();
    for (let i = 0; i < 10; i++) await settle();
    const first = [...disk.files().keys()].filter((path) => /\.(log|s2)$/.test(path)).sort()[0];
    assert.ok(!first.includes("-00000001-"), "the first segment was written anew");
  }
  if (options.compression === "s2") {
    for (let i = 0; i < 10; i++) await settle();
    const logs = [...disk.files().keys()].filter((path) => path.endsWith(".log"));
    assert.equal(logs.length, 1, "all is compressed but the last segment");
  }
  const messages = new Map<number, StoredMessage>();
  for (let seq = 1; seq <= 18; seq++) {
    const message = await store.get(seq);
    if (message !== undefined) messages.set(seq, message);
  }
  const before = disk.copy();
  if (!closed) return { disk: before, messages };
  await storage.close();
  return { disk: disk.copy(), messages };
}

/** Opens a damaged store and checks that whatever it serves is right, and whatever it does not is said to be lost. Returns how many that is. */
export async function checkDamaged(
  disk: SimulatedDisk,
  messages: ReadonlyMap<number, StoredMessage>,
  revenants: boolean,
  options: KeptOptions = DURABLE,
): Promise<number> {
  const { storage, store } = await openStream(disk, SEGMENT, options);
  let lost = 0;
  for (let seq = 1; seq <= 18; seq++) {
    const expected = messages.get(seq);
    const found = await store.get(seq);
    if (found === undefined && expected !== undefined) {
      lost += 1;
      const told = store.state.lost?.ranges.some(([first, last]) => first <= seq && seq <= last);
      assert.ok(told, `the loss of ${seq} is told`);
    } else if (expected === undefined) {
      // The record of a removal may be what is damaged.
      assert.ok(found === undefined || revenants, `${seq} stays removed`);
    } else {
      assert.deepEqual(found, expected, `message ${seq}`);
    }
  }
  assert.equal(store.state.lastSeq, 18, "no number will be given out again");
  assert.equal(store.append("s.1", undefined, bytes("more"), 2000), 19);
  await storage.close();
  return lost;
}

/** When a store is damaged: whether it was closed in order, and whether segments were merged. */
export const STATES = [
  ["after a clean stop", true, false],
  ["after a crash", false, false],
  ["after segments were merged", true, true],
] as const;

/** Flips a bit at every byte of every file. */
export async function flipEverywhere(closed: boolean, merged: boolean, options: KeptOptions): Promise<void> {
  const { disk, messages } = await smallStore(closed, merged, options);
  const segments = [...disk.files().keys()].filter((path) => path.endsWith(".log")).sort();
  let flips = 0;
  let costly = 0;
  for (const [path, content] of disk.files()) {
    // The last commit of a crash is torn if anything in it is wrong: nothing tells damage from a write that did not come through.
    const inDoubt = !closed && path === segments.at(-1);
    for (let at = 0; at < content.length; at++) {
      if (inDoubt && lastCommit(content).includes(at)) continue;
      const flipped = new Uint8Array(content);
      flipped[at] ^= 1 << (at % 8);
      const damaged = disk.copy(path, flipped);
      const lost = await checkDamaged(damaged, messages, true, options).catch((error: unknown) => {
        throw new Error(`${path}, byte ${at}`, { cause: error });
      });
      assert.ok(lost <= 1, `${path}, byte ${at}: ${lost} messages are lost`);
      flips += 1;
      costly += lost;
    }
  }
  assert.ok(flips > 1000);
  assert.ok(costly > 0, "some flips hit messages");
}

/** Where that stands which the last record does not know to have been on disk before it; after it come zeros. */
function lastCommit(content: Uint8Array): { includes(at: number): boolean } {
  const words = new Int32Array(content.slice().buffer);
  let durable = 0;
  let end = 0;
  while (end < content.length && words[end / 4 + 1] !== 0) {
    const subject = words[end / 4 + 1] >>> 16;
    const body = words[end / 4 + 2] + words[end / 4 + 3];
    durable = words[end / 4 + 10] * 8;
    const isEncrypted = (words[end / 4 + 1] & 0x200) !== 0;
    end += 48;
    end += isEncrypted
      ? Math.ceil((subject + body + 28) / 8) * 8
      : Math.ceil(subject / 8) * 8 + Math.ceil(body / 8) * 8;
  }
  return { includes: (at) => durable <= at && at < end };
}

/** How many messages a block may have parts of. */
export const MOST_IN_BLOCK = 6;

/** Flips a bit at every byte of every compressed file. */
export async function flipCompressed(closed: boolean, merged: boolean, options: KeptOptions): Promise<void> {
  const { disk, messages } = await smallStore(closed, merged, options);
  let costly = 0;
  let flips = 0;
  for (const [path, content] of disk.files()) {
    if (!path.endsWith(".s2")) continue;
    const table = new DataView(content.buffer).getUint32(content.length - 8, true) * 8;
    assert.ok(table > BLOCK / 2 && table < content.length - 32, "there are blocks, and a table of them");
    for (let at = 0; at < content.length; at++) {
      const flipped = new Uint8Array(content);
      flipped[at] ^= 1 << (at % 8);
      const damaged = disk.copy(path, flipped);
      const lost = await checkDamaged(damaged, messages, true, options).catch((error: unknown) => {
        throw new Error(`${path}, byte ${at}`, { cause: error });
      });
      assert.ok(lost <= (at < table ? MOST_IN_BLOCK : 0), `${path}, byte ${at}: ${lost} messages are lost`);
      costly += lost;
      flips += 1;
    }
  }
  assert.ok(flips >= 1000, `${flips} flips`);
  assert.ok(costly > 0, "some flips hit messages");
}

/** Cuts every file at every byte. */
export async function truncateEverywhere(options: KeptOptions): Promise<void> {
  const { disk, messages } = await smallStore(true, false, options);
  for (const [path, content] of disk.files()) {
    for (let size = 0; size < content.length; size += 1) {
      const cut = disk.copy(path, content.slice(0, size));
      await checkDamaged(cut, messages, true, options).catch((error: unknown) => {
        throw new Error(`${path}, cut to ${size}`, { cause: error });
      });
    }
  }
}
