import type { Disk } from "../../src/seams/disk.ts";
import { FileStorage } from "../../src/storage/file-storage.ts";
import type { StoreOptions, StreamStore } from "../../src/storage/store.ts";
import { simulatedRuntime, VirtualClock } from "../support/simulated.ts";

export const DURABLE: StoreOptions = { sync: "always", noteAge: 120_000 };

/** The same, compressed. */
export const COMPRESSED: StoreOptions = { ...DURABLE, compression: "s2" };

/** Blocks are small, so that small segments have several. */
export const BLOCK = 400;

/** Room is made ahead in small steps, so that short scripts meet it too. */
const ROOM = 512;

/** Two records are a burst, in the middle of which a commit begins. */
const BURST = 100;

/** Opens a storage on a disk; a virtual clock, and repeatable chance. */
export function openStorage(
  disk: Disk,
  segmentBytes?: number,
  clock: VirtualClock = new VirtualClock(),
): Promise<FileStorage> {
  const { random, tasks } = simulatedRuntime(clock);
  return FileStorage.open("data", {
    disk,
    clock,
    random,
    tasks,
    segmentBytes,
    roomBytes: ROOM,
    burstBytes: BURST,
    blockBytes: BLOCK,
  });
}

/** A stream on a disk, and the storage that it is in. */
export interface OpenedStream {
  readonly storage: FileStorage;
  readonly store: StreamStore;
}

/** Opens the one stream of a disk. */
export async function openStream(
  disk: Disk,
  segmentBytes?: number,
  options: StoreOptions = DURABLE,
): Promise<OpenedStream> {
  const storage = await openStorage(disk, segmentBytes);
  return { storage, store: await storage.openStream(["streams", "S"], options) };
}
