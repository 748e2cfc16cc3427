import type { Clock } from "../seams/clock.ts";
import type { Random } from "../seams/random.ts";
import { MemoryStore } from "./memory-store.ts";
import type { Journal, Storage } from "./storage.ts";
import type { StoreOptions, StreamStore } from "./store.ts";

/** A storage that is gone with the process. What is closed in it is gone, too: nobody could open it again. */
export class MemoryStorage implements Storage {
  readonly damaged: readonly string[] = [];
  readonly #clock: Clock;
  readonly #random: Random;

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  async openStream(_place: readonly string[], options: StoreOptions): Promise<StreamStore> {
    const seed = new Uint8Array(4);
    this.#random.fill(seed);
    return new MemoryStore(this.#clock, new DataView(seed.buffer).getInt32(0), options);
  }

  async openJournal(): Promise<Journal> {
    return NO_JOURNAL;
  }

  async readDocument(): Promise<undefined> {
    return undefined;
  }

  async writeDocument(): Promise<void> {}

  async deleteDocument(): Promise<void> {}

  async list(): Promise<string[]> {
    return [];
  }

  async listDocuments(): Promise<string[]> {
    return [];
  }

  async deleteAll(): Promise<void> {}

  async close(): Promise<void> {}
}

/** What is written down for a next time that there is not. */
const NO_JOURNAL: Journal = {
  found: [],
  size: 0,
  append() {},
  async flush() {},
  async compact() {},
  async close() {},
};
