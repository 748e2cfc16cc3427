import type { Codec } from "../json/codec.ts";
import { decodeJson, RequestJsonError } from "../json/decode.ts";
import { streamState } from "../stream/state.ts";
import { type ArchiveEntry, CONSUMER_PREFIX, STATE_ENTRY } from "./archive-format.ts";
import { consumerJson, stateFromJson } from "./archive-json.ts";
import { ArchiveReader, type ArchiveSink } from "./archive-reader.ts";
import { SnapshotError } from "./errors.ts";
import type { SnapshotLimits, SnapshotSink } from "./sink.ts";
import type { SnapshotReader } from "./snapshot-reader.ts";

/** The most bytes of an entry in JSON. */
const MAX_JSON = 16 * 1024 * 1024;

/** Reads the snapshot of servers from 2.15 on: the stream's state, consumers, messages, and an entry without anything as the end. */
export class ArchiveSnapshotReader implements SnapshotReader, ArchiveSink {
  readonly #limits: SnapshotLimits;
  readonly #sink: SnapshotSink;
  readonly #archive = new ArchiveReader(this);
  /** The state that the first entry gives. */
  #bounds: { readonly firstSeq: number; readonly lastSeq: number } | undefined;
  #consumersLeft = 0;
  #lastSeq = 0;
  #ended = false;

  constructor(limits: SnapshotLimits, sink: SnapshotSink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  push(bytes: Uint8Array): void {
    if (!this.#ended) this.#archive.push(bytes);
  }

  // biome-ignore lint/correctness/useYield: nothing is left to do, so there is nothing to divide.
  *end(): Generator<void> {
    if (!this.#ended) {
      this.#archive.end();
      throw new SnapshotError("EOF");
    }
    const { firstSeq, lastSeq } = this.#bounds!;
    this.#sink.done({ firstSeq, lastSeq: Math.max(lastSeq, this.#lastSeq) });
  }

  head({ name, seq, headers, payload }: ArchiveEntry): void {
    if (this.#bounds === undefined && name !== STATE_ENTRY)
      throw new SnapshotError("expected state.json first");
    if (this.#bounds === undefined || this.#consumersLeft > 0) {
      if (headers + payload > MAX_JSON) throw new SnapshotError(`${JSON.stringify(name)} is too large`);
    } else this.#checkSize(seq, headers + payload);
  }

  #checkSize(seq: number, size: number): void {
    const { maxMessage, maxOfStream } = this.#limits;
    if (size > maxMessage) throw new SnapshotError(`message sequence ${seq} exceeds maximum payload size`);
    if (maxOfStream >= 0 && size > maxOfStream) {
      throw new SnapshotError(`message sequence ${seq} exceeds maximum message size`);
    }
  }

  entry(entry: ArchiveEntry, headers: Uint8Array | undefined, payload: Uint8Array): void {
    if (this.#ended) return;
    if (this.#bounds === undefined) this.#state(payload);
    else if (this.#consumersLeft > 0) this.#consumer(entry.name, payload);
    else this.#message(entry, headers, payload);
  }

  #state(json: Uint8Array): void {
    const { firstSeq, lastSeq, consumerCount } = readEntry(streamState, json, "error in state.json");
    if (!Number.isSafeInteger(firstSeq) || !Number.isSafeInteger(lastSeq)) {
      throw new SnapshotError("error in state.json: sequences are too large");
    }
    this.#bounds = { firstSeq, lastSeq };
    this.#consumersLeft = consumerCount;
    this.#lastSeq = Math.max(0, firstSeq - 1);
  }

  #consumer(name: string, json: Uint8Array): void {
    this.#consumersLeft--;
    if (!name.startsWith(CONSUMER_PREFIX)) {
      throw new SnapshotError(`expected consumer, found ${JSON.stringify(name)}`);
    }
    const consumer = name.slice(CONSUMER_PREFIX.length);
    const quoted = JSON.stringify(consumer);
    const { config, state } = readEntry(consumerJson, json, `failed to decode consumer ${quoted} state`);
    if (config === undefined) throw new SnapshotError(`consumer ${quoted} is missing config`);
    if (state === undefined) throw new SnapshotError(`consumer ${quoted} is missing state`);
    this.#sink.consumer({ name: consumer, created: undefined, config, state: stateFromJson(state) });
  }

  #message(entry: ArchiveEntry, headers: Uint8Array | undefined, payload: Uint8Array): void {
    const { name, seq, time } = entry;
    if (seq === 0) {
      if (time !== 0 || headers !== undefined || payload.length > 0) {
        throw new SnapshotError("expected message sequence");
      }
      this.#ended = true;
      return;
    }
    if (seq <= this.#lastSeq) throw new SnapshotError(`message sequence ${seq} out of order`);
    this.#lastSeq = seq;
    this.#sink.message(seq, time, name, headers, payload);
  }
}

function readEntry<T>(codec: Codec<T>, json: Uint8Array, what: string): T {
  try {
    return decodeJson(codec, json);
  } catch (error) {
    if (error instanceof RequestJsonError) throw new SnapshotError(`${what}: ${error.message}`);
    throw error;
  }
}
