import { decodeText } from "../../protocol/text.ts";
import { ARCHIVE_MAGIC, type ArchiveEntry, MAX_NAME } from "./archive-format.ts";
import { SnapshotError, unexpectedEnd } from "./errors.ts";
import { PendingBytes } from "./pending-bytes.ts";
import { MAX_VARINT, VarintReader } from "./varints.ts";

/** Takes the entries of an archive. What it is given is valid until a call returns. */
export interface ArchiveSink {
  /** Whether an entry's body may come: throws when not. */
  head(entry: ArchiveEntry): void;
  entry(entry: ArchiveEntry, headers: Uint8Array | undefined, payload: Uint8Array): void;
}

/** How many numbers are in an entry's head. */
const NUMBERS = 5;

/** Reads an archive as it comes in. */
export class ArchiveReader {
  readonly #sink: ArchiveSink;
  readonly #pending = new PendingBytes();
  #begun = false;
  /** The entry whose body is to come. */
  #entry: ArchiveEntry | undefined;

  constructor(sink: ArchiveSink) {
    this.#sink = sink;
  }

  /** @throws SnapshotError */
  push(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    if (!this.#begun && !this.#magic()) return;
    while (this.#entry === undefined ? this.#head() : this.#body(this.#entry));
  }

  /** @throws SnapshotError when an entry is not complete. */
  end(): void {
    if (this.#pending.length > 0 || this.#entry !== undefined || !this.#begun) throw unexpectedEnd();
  }

  #magic(): boolean {
    const magic = this.#pending.take(ARCHIVE_MAGIC.length);
    if (magic === undefined) return false;
    if (decodeText(magic, 0, magic.length) !== ARCHIVE_MAGIC) throw invalid();
    this.#begun = true;
    return true;
  }

  #head(): boolean {
    const { length } = this.#pending;
    const bytes = this.#pending.peek(Math.min(length, NUMBERS * MAX_VARINT))!;
    const from = new VarintReader(bytes);
    const nameLength = from.unsigned();
    const time = from.time();
    const [seq, headers, payload] = [from.unsigned(), from.unsigned(), from.unsigned()];
    if (from.failed) {
      if (length >= NUMBERS * MAX_VARINT) throw invalid();
      return false;
    }
    if (nameLength > MAX_NAME || ![seq, headers, payload, headers + payload].every(Number.isSafeInteger)) {
      throw invalid();
    }
    const all = this.#pending.peek(from.at + nameLength);
    if (all === undefined) return false;
    const name = decodeText(all, from.at, all.length);
    this.#pending.skip(all.length);
    this.#entry = { name, time, seq, headers, payload };
    this.#sink.head(this.#entry);
    return true;
  }

  #body(entry: ArchiveEntry): boolean {
    const body = this.#pending.take(entry.headers + entry.payload);
    if (body === undefined) return false;
    this.#entry = undefined;
    const headers = entry.headers === 0 ? undefined : body.subarray(0, entry.headers);
    this.#sink.entry(entry, headers, body.subarray(entry.headers));
    return true;
  }
}

function invalid(): SnapshotError {
  return new SnapshotError("archive: invalid archive stream");
}
