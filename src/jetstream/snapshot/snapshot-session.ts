import { newEventId } from "../../broker/event-id.ts";
import { Pacer } from "../../storage/pacer.ts";
import type { StreamState } from "../../storage/store.ts";
import type { ClientInfo } from "../api/events.ts";
import * as events from "../api/events.ts";
import type { SnapshotRequest } from "../api/requests.ts";
import { apiError } from "../errors.ts";
import { stateOf } from "../stream/info.ts";
import type { StreamStateInfo } from "../stream/state.ts";
import type { Stream } from "../stream/stream.ts";
import { archiveSnapshot } from "./archive-snapshot-writer.ts";
import { ChunkSender, chunking } from "./chunk-sender.ts";
import { compressedChunks } from "./chunks.ts";
import { consumerSnapshot } from "./consumers.ts";
import { SnapshotError } from "./errors.ts";
import type { SnapshotConsumer } from "./sink.ts";
import { countLost, type SnapshotSource, storedMessages } from "./source.ts";
import { tarSnapshot } from "./tar-snapshot-writer.ts";

/** A snapshot of a stream on its way to a client. */
export class SnapshotSession {
  /** The stream's state, as the answer has it. */
  readonly stateInfo: StreamStateInfo;
  readonly #stream: Stream;
  readonly #request: SnapshotRequest;
  readonly #client: ClientInfo | null;
  readonly #source: SnapshotSource;

  constructor(stream: Stream, request: SnapshotRequest, client: ClientInfo | null) {
    const { config, created, store, account } = stream;
    const { lastSeq } = store.state;
    this.#stream = stream;
    this.#request = request;
    this.#client = client;
    this.stateInfo = stateOf(stream);
    // What is not on disk yet is not seen by anybody.
    const state: StreamState = { ...store.state, lastSeq: Math.min(lastSeq, store.syncedSeq) };
    this.#source = {
      stream: { ...config, created },
      consumers: request.noConsumers ? [] : consumersOf(stream),
      store,
      closed: () => stream.closed,
      state,
      stateInfo: this.stateInfo,
      now: account.clock.now(),
    };
  }

  /** Sends it. Resolves when it is sent, or was given up. */
  async run(): Promise<void> {
    const { account, config } = this.#stream;
    const { clock, client, random, logger } = account;
    const { name } = config;
    const title = `stream '${account.name} > ${name}'`;
    const start = clock.now();
    logger.notice(`Starting snapshot for ${title}`);
    account.tell(`$JS.EVENT.ADVISORY.STREAM.SNAPSHOT_CREATE.${name}`, (stamp) =>
      events.snapshotCreated(stamp, name, this.stateInfo, this.#client),
    );
    const { size, inFlight } = chunking(this.#request.chunkSize, this.#request.windowSize);
    const acks = `$JS.SNAPSHOT.ACK.${name}.${newEventId(random)}`;
    const deliver = this.#request.deliverSubject;
    const error = await new ChunkSender({ client, clock, deliver, acks, size, inFlight }).send(
      this.#chunks(size),
    );
    const end = clock.now();
    account.tell(`$JS.EVENT.ADVISORY.STREAM.SNAPSHOT_COMPLETE.${name}`, (stamp) =>
      events.snapshotCompleted(stamp, name, { start, end }, this.#client, error),
    );
    if (error === "") logger.notice(`Completed snapshot for ${title} in ${end - start} ms`);
    else logger.warn(`Snapshot for ${title} failed after ${end - start} ms: ${error}`);
  }

  #chunks(size: number): AsyncIterable<Uint8Array> {
    const pacer = new Pacer(this.#stream.account.clock);
    // Servers before 2.15 have no snapshots of streams in memory, so those can be in the newer form, which keeps all of them.
    const write = this.#stream.config.storage === "memory" ? archiveSnapshot : tarSnapshot;
    return compressedChunks(write(this.#source, pacer), size, pacer);
  }
}

/** The consumers that clients know of, as they are now. */
function consumersOf({ consumers, account }: Stream): SnapshotConsumer[] {
  return [...consumers.all()]
    .filter(({ config }) => !config.direct)
    .map((consumer) => consumerSnapshot(consumer, account.clock));
}

/** Reads all messages of a stream. @throws ApiError when some cannot be read (rejects). */
export async function checkReadable(stream: Stream): Promise<void> {
  const { store, account } = stream;
  const source = { store, state: store.state, closed: () => stream.closed };
  try {
    for await (const _ of storedMessages(source, new Pacer(account.clock)));
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    throw apiError(10064, { err: error.message });
  }
  const lost = countLost(store.state);
  if (lost > 0) throw apiError(10064, { err: `snapshot check detected ${lost} bad messages` });
}
