import { messageOf } from "../../protocol/message-of.ts";
import { EMPTY } from "../../protocol/text.ts";
import type { Storage } from "../../storage/storage.ts";
import type { StreamStore } from "../../storage/store.ts";
import { apiError } from "../errors.ts";
import { type Timestamp, timestampOf } from "../json/timestamps.ts";
import { SnapshotError } from "../snapshot/errors.ts";
import type { SnapshotConsumer } from "../snapshot/sink.ts";
import type { StreamConfig } from "../stream/config.ts";
import type { StreamDocument } from "../stream/info.ts";
import { type Stream, storageOf, storeOptions } from "../stream/stream.ts";
import type { AccountContext } from "./context.ts";

/** What a restoration needs of the account. */
export interface RestorationSetup {
  readonly context: AccountContext;
  /** The stream as it will be. */
  readonly config: StreamConfig;
  /** Where it will be. */
  readonly place: readonly string[];
  /** Keeps the stream's description, and opens it. Nobody sees it yet. */
  make(document: StreamDocument, store: StreamStore): Promise<Stream>;
  /** Does something that the account's end waits for. @throws ApiError (rejects) when the account has ended. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** The stream is one of the account's. @throws ApiError when the account has ended. */
  publish(stream: Stream): void;
  /** The name is free again, or taken by the stream. */
  ended(): void;
}

/**
 * A stream that is being restored: its name and subjects are taken, and all of it is stored where it will be, but nobody sees it before it is
 * complete. A mark says so as long: what is found with one at the start was cut short by a crash, and is cleared away.
 */
export class Restoration {
  readonly config: StreamConfig;
  readonly context: AccountContext;
  readonly #setup: RestorationSetup;
  readonly #storage: Storage;
  #store: StreamStore | undefined;
  #stream: Stream | undefined;
  /** What of the store's bytes is in the account's usage. */
  #counted = 0;
  /** Called when the account ends while this goes on. */
  interrupted: () => void = () => {};
  #isInterrupted = false;

  constructor(setup: RestorationSetup) {
    this.#setup = setup;
    this.config = setup.config;
    this.context = setup.context;
    this.#storage = storageOf(setup.context, setup.config);
  }

  /** Does a part of it, which the account's end waits for. @throws ApiError (rejects) when the account has ended. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#setup.run(work);
  }

  /** The account ends: what is being done is to be brought to its end. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.interrupted();
  }

  /** Lets go of what there is, once nothing is being done any more. The mark stays: the account clears it away when it is next there. */
  async close(): Promise<void> {
    this.#use(0);
    await this.#store?.close();
    this.#setup.ended();
  }

  /** The store for the messages. @throws StorageError, ApiError (rejects) */
  async open(): Promise<StreamStore> {
    const { context, config, place } = this.#setup;
    const storage = this.#storage;
    await storage.writeDocument(markPlace(context.name, config.name), EMPTY);
    await clear(storage, place);
    this.#store = await storage.openStream(place, storeOptions(context, config));
    if (this.#isInterrupted) throw apiError(10008);
    return this.#store;
  }

  /**
   * Counts what has been stored.
   * @throws ApiError when the account or the server has no room for it.
   */
  count(): void {
    const { context, config } = this.#setup;
    this.#use(this.#store?.state.bytes ?? 0);
    const { maxMemory, maxStore } = context.limits;
    const limit = config.storage === "memory" ? maxMemory : maxStore;
    const used = context.usage.used[config.storage];
    if ((limit >= 0 && used > limit) || context.isServerFull(config.storage)) {
      throw apiError(config.storage === "memory" ? 10028 : 10047);
    }
  }

  /** All is stored: the stream is there, with its consumers. @throws ApiError, StorageError */
  async commit(created: Timestamp | undefined, consumers: readonly SnapshotConsumer[]): Promise<Stream> {
    const { context, config } = this.#setup;
    const store = this.#store!;
    await store.flush();
    this.#use(0);
    const document = { config, created: created ?? timestampOf(context.clock.now()) };
    const stream = await this.#setup.make(document, store);
    this.#stream = stream;
    for (const consumer of consumers) await restoreConsumer(stream, consumer);
    await this.#storage.deleteDocument(markPlace(context.name, config.name));
    this.#setup.publish(stream);
    this.#setup.ended();
    return stream;
  }

  /** It comes to nothing: what is stored of it is deleted. */
  async abandon(): Promise<void> {
    const { context, config, place } = this.#setup;
    this.#use(0);
    try {
      await (this.#stream ?? this.#store)?.delete();
      await clear(this.#storage, place);
      await clear(this.#storage, markPlace(context.name, config.name));
    } finally {
      this.#setup.ended();
    }
  }

  #use(bytes: number): void {
    this.context.usage.use(this.config.storage, bytes - this.#counted);
    this.#counted = bytes;
  }
}

async function restoreConsumer(stream: Stream, consumer: SnapshotConsumer): Promise<void> {
  try {
    await stream.consumers.restore(consumer);
  } catch (error) {
    const why = messageOf(error);
    throw new SnapshotError(`error restoring consumer [${JSON.stringify(consumer.name)}]: ${why}`);
  }
}

/** Where it says that a stream is being restored. */
function markPlace(account: string, stream: string): string[] {
  return [account, "restoring", stream];
}

/** Deletes what is left of restorations that were cut short. @param place - of the account's stream with a name. */
export async function clearRestorations(
  storage: Storage,
  account: string,
  place: (stream: string) => readonly string[],
): Promise<void> {
  for (const stream of await storage.listDocuments([account, "restoring"])) {
    await clear(storage, place(stream));
    await clear(storage, markPlace(account, stream));
  }
}

/** Deletes what there is at a place. */
async function clear(storage: Storage, place: readonly string[]): Promise<void> {
  await storage.deleteAll(place);
  const name = place[place.length - 1];
  if ((await storage.listDocuments(place.slice(0, -1))).includes(name)) await storage.deleteDocument(place);
}
