import { decodeText } from "../../protocol/text.ts";
import { ARCHIVE_MAGIC } from "./archive-format.ts";
import { ArchiveSnapshotReader } from "./archive-snapshot-reader.ts";
import { SnapshotError, unexpectedEnd } from "./errors.ts";
import { PendingBytes } from "./pending-bytes.ts";
import { S2Reader } from "./s2-reader.ts";
import type { SnapshotLimits, SnapshotSink } from "./sink.ts";
import { TarSnapshotReader } from "./tar-snapshot-reader.ts";

/** Reads the one or the other form of snapshot, after decompression. All throw SnapshotError. */
export interface SnapshotReader {
  push(bytes: Uint8Array): void;
  /** Nothing more comes in. What is left is done in steps. */
  end(): Generator<void>;
}

/**
 * Reads a snapshot as it comes in, in the form of any server: {@link push} and {@link end} each give back steps of a few hundred
 * microseconds, which are to be gone through to the end. They throw SnapshotError when the snapshot is damaged.
 */
export class SnapshotStream {
  readonly #limits: SnapshotLimits;
  readonly #sink: SnapshotSink;
  readonly #s2 = new S2Reader();
  /** What came before it was known which form it is. */
  readonly #start = new PendingBytes();
  #reader: SnapshotReader | undefined;

  constructor(limits: SnapshotLimits, sink: SnapshotSink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  *push(bytes: Uint8Array): Generator<void> {
    this.#s2.push(bytes);
    for (;;) {
      const piece = this.#s2.next();
      if (piece === undefined) return;
      if (this.#reader === undefined) this.#begin(piece);
      else this.#reader.push(piece);
      yield;
    }
  }

  *end(): Generator<void> {
    this.#s2.end();
    if (this.#reader === undefined)
      throw this.#start.length === 0 ? new SnapshotError("EOF") : unexpectedEnd();
    yield* this.#reader.end();
  }

  #begin(piece: Uint8Array): void {
    this.#start.push(piece);
    const magic = this.#start.peek(ARCHIVE_MAGIC.length);
    if (magic === undefined) return;
    const archive = decodeText(magic, 0, magic.length) === ARCHIVE_MAGIC;
    const Reader = archive ? ArchiveSnapshotReader : TarSnapshotReader;
    this.#reader = new Reader(this.#limits, this.#sink);
    this.#reader.push(this.#start.take(this.#start.length)!);
  }
}
