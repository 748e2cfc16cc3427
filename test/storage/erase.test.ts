import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY } from "../../src/protocol/text.ts";
import { eraseBodies } from "../../src/storage/erase.ts";
import type { FileLog } from "../../src/storage/file-log.ts";
import { MemoryDisk } from "../../src/storage/memory-disk.ts";
import type { Pacer } from "../../src/storage/pacer.ts";
import { KIND_MESSAGE, recordBytes, seedAt, writeRecord } from "../../src/storage/records.ts";
import type { Segment } from "../../src/storage/segment.ts";
import type { Window } from "../../src/storage/window-cache.ts";

const SALT = 7;
const SIZE = 1_024;

test("erasing leaves alone an array that has become another's while others had their turn", async () => {
  const file = await new MemoryDisk().open("1.log", true);
  const record = recordBytes(SIZE);
  const head = { kind: KIND_MESSAGE, flags: 0, seq: 1, micros: 0, gap: 0, durable: 0, ttl: 0 };
  const payload = new Uint8Array(500).fill(1);
  const end = writeRecord(record, 0, seedAt(SALT, 0), head, "s", EMPTY, payload);
  await file.write(record.bytes, 0);
  const windows: Window[] = [];
  const segment = {
    salt: SALT,
    slabs: [],
    windows,
    compressed: false,
    file: async () => file,
    reader: async () => file,
  };
  const newWindow = (): Window => {
    const room = recordBytes(SIZE);
    room.bytes.set(record.bytes);
    return {
      segment: segment as unknown as Segment,
      ...room,
      position: 0,
      used: end,
      sound: false,
      lent: false,
    };
  };
  const [first, second] = [newWindow(), newWindow()];
  windows.push(first, second);
  const pacer = {
    due: true,
    rest: async () => {
      if (windows.pop() === second) second.bytes.fill(9);
    },
  } as unknown as Pacer;
  const log = { context: { cache: { forget: () => {} } } } as unknown as FileLog;
  await eraseBodies(log, segment as unknown as Segment, [0], pacer);
  assert.ok(!first.bytes.includes(1, end - 100), "what is there is erased");
  assert.ok(second.bytes.every((byte) => byte === 9));
  const read = new Uint8Array(SIZE);
  await file.read(read, 0);
  assert.deepEqual(read, first.bytes);
});
