import { newEventId } from "../../broker/event-id.ts";
import { escapeJson } from "../../protocol/go-format.ts";
import { messageOf } from "../../protocol/message-of.ts";
import { Pacer } from "../../storage/pacer.ts";
import type { StreamStore } from "../../storage/store.ts";
import type { Restoration } from "../account/restoration.ts";
import type { ClientInfo } from "../api/events.ts";
import * as events from "../api/events.ts";
import { responseType } from "../api/subject.ts";
import { ApiError, apiError } from "../errors.ts";
import { streamInfo } from "../stream/info.ts";
import { ChunkReceiver, type ChunkTarget } from "./chunk-receiver.ts";
import { RestoredMessages } from "./restored-messages.ts";
import { SnapshotStream } from "./snapshot-reader.ts";

/** From so many bytes on that were stored it is waited until they are on disk. */
const FLUSH_BYTES = 4 * 1024 * 1024;

const RESPONSE = responseType("STREAM.CREATE");

/** A client sends a snapshot, of which a stream is made. */
export class RestoreSession implements ChunkTarget {
  /** Where the chunks are to be sent. */
  readonly subject: string;
  readonly #restoration: Restoration;
  readonly #store: StreamStore;
  readonly #client: ClientInfo | null;
  readonly #messages: RestoredMessages;
  readonly #reader: SnapshotStream;
  readonly #pacer: Pacer;
  readonly #receiver: ChunkReceiver;
  readonly #start: number;
  #bytes = 0;
  #flushed = 0;
  #interrupted = false;

  private constructor(restoration: Restoration, store: StreamStore, client: ClientInfo | null) {
    const { context, config } = restoration;
    const { name } = config;
    this.#restoration = restoration;
    this.#store = store;
    this.#client = client;
    this.#start = context.clock.now();
    this.#pacer = new Pacer(context.clock);
    this.#messages = new RestoredMessages(store, config, this.#start, context.random);
    this.#reader = new SnapshotStream(
      {
        stream: name,
        account: context.name,
        maxMessage: context.maxPayload(),
        maxOfStream: config.maxMsgSize,
      },
      this.#messages,
    );
    this.subject = `$JS.SNAPSHOT.RESTORE.${name}.${newEventId(context.random)}`;
    this.#receiver = new ChunkReceiver({
      client: context.client,
      clock: context.clock,
      subject: this.subject,
      target: this,
      needsReply: `restore for ${this.#title} requires reply subject for each chunk`,
    });
    restoration.interrupted = () => {
      this.#interrupted = true;
      this.#receiver.refuse(refusalOf(apiError(10008)));
    };
  }

  /** Begins to take chunks. @throws ApiError (rejects) */
  static start(restoration: Restoration, client: ClientInfo | null): Promise<RestoreSession> {
    return restoration.run(() => RestoreSession.#begin(restoration, client));
  }

  static async #begin(restoration: Restoration, client: ClientInfo | null): Promise<RestoreSession> {
    const { context, config } = restoration;
    let store: StreamStore;
    try {
      store = await restoration.open();
    } catch (error) {
      await restoration.abandon().catch(() => {});
      throw restoreError(error);
    }
    context.logger.notice(`Starting restore for stream '${context.name} > ${config.name}'`);
    context.tell(`$JS.EVENT.ADVISORY.STREAM.RESTORE_CREATE.${config.name}`, (stamp) =>
      events.restoreCreated(stamp, config.name, client),
    );
    return new RestoreSession(restoration, store, client);
  }

  get #title(): string {
    const { context, config } = this.#restoration;
    return `stream '${context.name} > ${config.name}'`;
  }

  chunk(bytes: Uint8Array): Promise<void> {
    return this.#restoration.run(async () => {
      this.#bytes += bytes.length;
      await this.#steps(this.#reader.push(bytes));
      this.#restoration.count();
    });
  }

  complete(): Promise<string> {
    return this.#restoration.run(() => this.#complete()).catch(refusalOf);
  }

  async #complete(): Promise<string> {
    const { context } = this.#restoration;
    try {
      await this.#steps(this.#reader.end());
      const { firstSeq, createdAt, consumers } = this.#messages;
      if (firstSeq > 0) await this.#store.purge({ before: firstSeq });
      this.#restoration.count();
      const stream = await this.#restoration.commit(createdAt, consumers);
      this.#tellCompleted();
      context.logger.notice(`Completed restore for ${this.#title}`);
      const info = streamInfo(stream, { now: context.clock.now(), domain: "", leader: "", dynamic: true });
      return `{"type":"${RESPONSE}",${info}}`;
    } catch (error) {
      return this.#failed(error);
    }
  }

  failed(error: unknown): Promise<string> {
    // When the account has ended, that does what is to be done.
    return this.#restoration.run(() => this.#failed(error)).catch(refusalOf);
  }

  async #failed(error: unknown): Promise<string> {
    const refusal = restoreError(error);
    await this.#abandon(refusal.message);
    this.#tellCompleted();
    return refusalOf(refusal);
  }

  stalled(): void {
    // The end of the account does the same.
    void this.#restoration.run(() => this.#abandon(`restore for ${this.#title} is stalled`)).catch(() => {});
  }

  /** Goes through work with a turn for the rest of the program now and then, and waits for the disk. */
  async #steps(steps: Generator<void>): Promise<void> {
    for (const _ of steps) {
      if (this.#store.state.bytes - this.#flushed >= FLUSH_BYTES) {
        this.#flushed = this.#store.state.bytes;
        await this.#store.flush();
      }
      if (this.#pacer.due) await this.#pacer.rest();
      if (this.#interrupted) throw apiError(10008);
    }
  }

  async #abandon(why: string): Promise<void> {
    this.#interrupted = true;
    const { logger } = this.#restoration.context;
    logger.warn(`Restore failed for ${this.#title}: ${why}`);
    try {
      await this.#restoration.abandon();
    } catch (error) {
      logger.error(`What was restored of ${this.#title} cannot be deleted: ${error}`);
    }
  }

  #tellCompleted(): void {
    const { context, config } = this.#restoration;
    const span = { start: this.#start, end: context.clock.now() };
    context.tell(`$JS.EVENT.ADVISORY.STREAM.RESTORE_COMPLETE.${config.name}`, (stamp) =>
      events.restoreCompleted(stamp, config.name, span, this.#bytes, this.#client),
    );
  }
}

function refusalOf(error: unknown): string {
  return `{"type":"${RESPONSE}","error":${escapeJson(JSON.stringify(restoreError(error)))}}`;
}

/** Errors of the API are told as they are, all others as the reason of a failed restore. */
function restoreError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return apiError(10062, { err: messageOf(error) });
}
