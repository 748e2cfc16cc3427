import { NodeCiphers } from "../../src/runtime/node/ciphers.ts";
import type { CipherName } from "../../src/seams/ciphers.ts";
import type { Disk } from "../../src/seams/disk.ts";
import type { EncryptionSetup } from "../../src/storage/encryption.ts";
import { FileStorage } from "../../src/storage/file-storage.ts";
import type { StoreOptions, StreamStore } from "../../src/storage/store.ts";
import { simulatedRuntime, VirtualClock } from "../support/simulated.ts";

/** How a stream is kept, and the storage that it is in. */
export interface KeptOptions extends StoreOptions {
  readonly encryption?: EncryptionSetup;
}

export const DURABLE: KeptOptions = { sync: "always", noteAge: 120_000 };

/** The same, compressed. */
export const COMPRESSED: KeptOptions = { ...DURABLE, compression: "s2" };

/** Files are encrypted. Each stream has a key. */
export function encrypted(
  key = "the key",
  cipher: CipherName = "chacha",
  previousKey?: string,
): EncryptionSetup {
  const keyPlace = (place: readonly string[]): readonly string[] => place.slice(0, 2);
  return { ciphers: new NodeCiphers(), cipher, key, previousKey, keyPlace, converting() {} };
}

/** The same as the two above, encrypted. */
export const ENCRYPTED: KeptOptions = { ...DURABLE, encryption: encrypted() };
export const ENCRYPTED_COMPRESSED: KeptOptions = { ...COMPRESSED, encryption: encrypted() };

/** Both ways to keep things: what comes before the titles of tests, and how files are encrypted. */
export const WAYS = [
  ["", undefined],
  ["encrypted: ", encrypted()],
] as const;

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
  encryption?: EncryptionSetup,
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
    encryption,
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
  options: KeptOptions = DURABLE,
): Promise<OpenedStream> {
  const storage = await openStorage(disk, segmentBytes, undefined, options.encryption);
  return { storage, store: await storage.openStream(["streams", "S"], options) };
}
