import { decodePayload } from "../../protocol/text.ts";
import type { RecordCodec } from "../json/codec.ts";
import { decodeJson, RequestJsonError } from "../json/decode.ts";
import { ZERO_TIME } from "../json/timestamps.ts";
import { decodeConsumerState } from "./consumer-state.ts";
import { SnapshotError } from "./errors.ts";
import { type IndexDb, readIndexDb } from "./index-db.ts";
import { fileConsumerInfo, fileStreamInfo } from "./meta.ts";
import { PendingBytes } from "./pending-bytes.ts";
import { RecordReader, type RecordSink } from "./record-reader.ts";
import type { SnapshotLimits, SnapshotSink } from "./sink.ts";
import type { SnapshotReader } from "./snapshot-reader.ts";
import { TarReader, type TarSink } from "./tar-reader.ts";

/** The most bytes of a file that is read as a whole (not a block of messages). */
const MAX_FILE = 16 * 1024 * 1024;
/** An index beyond this is passed over: it only spares some work. */
const MAX_INDEX = 64 * 1024 * 1024;

/** The files of a consumer that have come. */
interface ConsumerFiles {
  readonly name: string;
  meta?: Uint8Array;
  state?: Uint8Array;
}

/**
 * Reads the snapshot of servers up to 2.14: a tar archive of the stream's files, which are `meta.inf`, blocks of messages (`msgs/1.blk` ...),
 * `msgs/index.db`, and of each consumer `obs/<name>/meta.inf` and `o.dat`.
 */
export class TarSnapshotReader implements SnapshotReader, TarSink, RecordSink {
  readonly #limits: SnapshotLimits;
  readonly #sink: SnapshotSink;
  readonly #tar: TarReader;
  #name = "";
  /** The file at hand: records of a block, or bytes kept up to its end; neither for what means nothing. */
  #records: RecordReader | undefined;
  #file: PendingBytes | undefined;
  #hasMeta = false;
  #lastSeq = 0;
  #lastBlock = 0;
  #lastSum = new Uint8Array(0);
  #index: Uint8Array | undefined;
  #consumer: ConsumerFiles | undefined;

  constructor(limits: SnapshotLimits, sink: SnapshotSink) {
    this.#limits = limits;
    this.#sink = sink;
    this.#tar = new TarReader(this, () => this.#unexpected());
  }

  push(bytes: Uint8Array): void {
    this.#tar.push(bytes);
  }

  *end(): Generator<void> {
    this.#tar.end();
    if (!this.#hasMeta) throw new SnapshotError("meta.inf is missing");
    this.#consumerEnd();
    const index = this.#index === undefined ? undefined : yield* readIndexDb(this.#index);
    const bounds = { firstSeq: 0, lastSeq: this.#lastSeq };
    if (index === undefined || !this.#describesBlocks(index)) {
      this.#sink.done(bounds);
      return;
    }
    for (const sequences of index.removed) {
      for (const seq of sequences) this.#sink.removed(seq);
      yield;
    }
    this.#sink.done({ firstSeq: index.firstSeq, lastSeq: Math.max(index.lastSeq, this.#lastSeq) });
  }

  // What the archive says.

  file(name: string, size: number): void {
    this.#name = name;
    const parts = name.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes("..")) throw this.#unexpected();
    const [folder, file] = parts;
    const block = /^(\d{1,10})\.blk$/.exec(file ?? "");
    if (folder === "msgs" && block !== null) {
      this.#block(Number(block[1]));
      return;
    }
    if (folder === "obs" && parts.length === 3) this.#consumerFile(file);
    const kept = parts.join("/");
    const isIndex = kept === "msgs/index.db";
    if (isIndex && size > MAX_INDEX) return;
    if (!isIndex && kept !== "meta.inf" && kept !== "errors.txt" && folder !== "obs") return;
    if (!isIndex && size > MAX_FILE) throw new SnapshotError(`${quoted(name)} is too large`);
    this.#file = new PendingBytes();
    this.#name = kept;
  }

  data(bytes: Uint8Array): void {
    this.#records?.push(bytes);
    this.#file?.push(bytes);
  }

  fileEnd(): void {
    if (this.#records !== undefined) {
      this.#records.end();
      this.#lastSum = this.#records.lastSum.slice();
      this.#records = undefined;
    }
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    this.#whole(this.#name, file.take(file.length)!);
  }

  // What the records of a block say.

  message(
    seq: number,
    time: number,
    subject: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array,
  ): void {
    // A record of a number that has been there is one that was left behind.
    if (seq <= this.#lastSeq) return;
    this.#lastSeq = seq;
    this.#sink.message(seq, time, subject, headers, payload);
  }

  erased(seq: number): void {
    this.#lastSeq = Math.max(this.#lastSeq, seq);
  }

  removed(seq: number): void {
    if (seq <= this.#lastSeq) this.#sink.removed(seq);
    this.#lastSeq = Math.max(this.#lastSeq, seq);
  }

  #block(index: number): void {
    if (!this.#hasMeta) throw new SnapshotError("meta.inf is missing");
    this.#lastBlock = index;
    this.#records = new RecordReader(this.#limits.stream, index, this);
  }

  #consumerFile(name: string): void {
    if (this.#consumer?.name === name) return;
    this.#consumerEnd();
    this.#consumer = { name };
  }

  /** All files of the consumer at hand have come. */
  #consumerEnd(): void {
    const files = this.#consumer;
    this.#consumer = undefined;
    if (files === undefined) return;
    const { name, meta, state } = files;
    if (meta === undefined)
      throw new SnapshotError(`error restoring consumer [${quoted(name)}]: no meta.inf`);
    const info = readFile(fileConsumerInfo, meta);
    const { created, consumer: _, ...config } = info;
    this.#sink.consumer({
      name,
      created: created === ZERO_TIME ? undefined : created,
      config,
      state: state === undefined ? NEW_STATE : decodeConsumerState(state),
    });
  }

  #whole(name: string, bytes: Uint8Array): void {
    if (name === "meta.inf") this.#meta(bytes);
    else if (name === "msgs/index.db") this.#index = bytes;
    else if (name === "errors.txt") {
      throw new SnapshotError(`the snapshot is not complete: ${decodePayload(bytes, 0, bytes.length)}`);
    } else if (this.#consumer !== undefined) {
      if (name.endsWith("/meta.inf")) this.#consumer.meta = bytes;
      if (name.endsWith("/o.dat")) this.#consumer.state = bytes;
    }
  }

  #meta(bytes: Uint8Array): void {
    const info = readFile(fileStreamInfo, bytes);
    if (info.name !== this.#limits.stream) throw new SnapshotError("stream names do not match");
    this.#hasMeta = true;
    if (info.created !== ZERO_TIME) this.#sink.created(info.created);
  }

  /** Whether an index was written when the blocks were as they are here. */
  #describesBlocks({ lastBlock, lastSum }: IndexDb): boolean {
    return lastBlock === this.#lastBlock && lastSum.every((byte, i) => byte === this.#lastSum[i]);
  }

  #unexpected(): SnapshotError {
    return new SnapshotError(`unexpected content (account=${this.#limits.account})`);
  }
}

const NEW_STATE = {
  delivered: { consumer: 0, stream: 0 },
  ackFloor: { consumer: 0, stream: 0 },
  pending: new Map(),
  redelivered: new Map(),
};

function readFile<T>(codec: RecordCodec<T>, bytes: Uint8Array): T {
  try {
    return decodeJson(codec, bytes);
  } catch (error) {
    if (error instanceof RequestJsonError) throw new SnapshotError(error.message);
    throw error;
  }
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
