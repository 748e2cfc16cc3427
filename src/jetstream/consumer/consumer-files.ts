import { decodeText, encodeText } from "../../protocol/text.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Storage } from "../../storage/storage.ts";
import { record } from "../json/codec.ts";
import { decodeJson, RequestJsonError } from "../json/decode.ts";
import { text, uint64 } from "../json/scalars.ts";
import { type Timestamp, timestamp, timestampMs, timestampOf } from "../json/timestamps.ts";
import { type ConsumerConfig, consumerConfig } from "./config.ts";
import type { StartingPoint } from "./starting-point.ts";
import { StateLog } from "./state-log.ts";

/** What a consumer's document says. */
interface SavedConsumer {
  readonly name: string;
  readonly created: Timestamp;
  readonly startSeq: number;
  readonly lastUpTo: number;
  readonly config: ConsumerConfig;
}

const savedConsumer = record<SavedConsumer>("SavedConsumer", [
  ["name", "name", text],
  ["created", "created", timestamp],
  ["start_seq", "startSeq", uint64],
  ["last_up_to", "lastUpTo", uint64],
  ["config", "config", consumerConfig],
]);

/** What is kept of a consumer beside its state. */
export interface StoredConsumer {
  readonly name: string;
  /** In ms since the epoch. */
  readonly created: number;
  readonly start: StartingPoint;
  readonly config: ConsumerConfig;
}

const CONSUMERS = "consumers";
const DOCUMENT = "consumer";
const STATE = "state";

/** What is on disk of the consumers of a stream: of each, a document and a journal (docs/storage.md). */
export class ConsumerFiles {
  readonly #storage: Storage;
  readonly #place: readonly string[];
  readonly #clock: Clock;
  readonly #lasting: (whole: boolean) => Promise<void> | undefined;

  /**
   * @param place - the stream's.
   * @param lasting - as {@link StateLog} needs it.
   */
  constructor(
    storage: Storage,
    place: readonly string[],
    clock: Clock,
    lasting: (whole: boolean) => Promise<void> | undefined,
  ) {
    this.#lasting = lasting;
    this.#storage = storage;
    this.#place = [...place, CONSUMERS];
    this.#clock = clock;
  }

  /** The names that have something there. */
  names(): Promise<string[]> {
    return this.#storage.list(this.#place);
  }

  /** What there is of a consumer; undefined when its document is not there, or what is wrong with it. */
  async read(name: string): Promise<StoredConsumer | string | undefined> {
    const bytes = await this.#storage.readDocument([...this.#place, name, DOCUMENT]);
    if (bytes === undefined) return undefined;
    try {
      const saved = decodeJson(savedConsumer, bytes);
      const start = { seq: saved.startSeq, lastUpTo: saved.lastUpTo };
      return { name: saved.name, created: timestampMs(saved.created), start, config: saved.config };
    } catch (error) {
      if (error instanceof RequestJsonError) return `${error.message}: ${decodeText(bytes, 0, bytes.length)}`;
      throw error;
    }
  }

  /** Whether there is a document that cannot be read. */
  async isDamaged(name: string): Promise<boolean> {
    return (await this.#storage.listDocuments([...this.#place, name])).includes(DOCUMENT);
  }

  /** Writes the document; resolves when it is on disk. */
  async write({ name, created, start, config }: StoredConsumer): Promise<void> {
    const saved = savedConsumer.write({
      name,
      created: timestampOf(created),
      startSeq: start.seq,
      lastUpTo: start.lastUpTo,
      config,
    });
    await this.#storage.writeDocument([...this.#place, name, DOCUMENT], encodeText(saved));
  }

  /** Writes the document of a new consumer, and opens what keeps its state. Of one that cannot be stored whole nothing stays. */
  async create(consumer: StoredConsumer): Promise<StateLog> {
    const { name, created } = consumer;
    const [written, opened] = await Promise.allSettled([this.write(consumer), this.openLog(name, created)]);
    if (written.status === "fulfilled" && opened.status === "fulfilled") return opened.value;
    if (opened.status === "fulfilled") await opened.value.abandon().catch(() => {});
    await this.delete(name).catch(() => {});
    throw written.status === "rejected" ? written.reason : (opened as PromiseRejectedResult).reason;
  }

  /** Opens what keeps the state. @param created - the consumer's beginning, in ms since the epoch. */
  async openLog(name: string, created: number): Promise<StateLog> {
    const journal = await this.#storage.openJournal([...this.#place, name, STATE]);
    return new StateLog(journal, this.#clock, created, this.#lasting);
  }

  /** Deletes all that there is of a consumer. It must be closed. */
  async delete(name: string): Promise<void> {
    // Without its document there is no consumer, whatever else is left.
    await this.#storage.deleteDocument([...this.#place, name, DOCUMENT]);
    await this.#storage.deleteAll([...this.#place, name]);
  }
}
