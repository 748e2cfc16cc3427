import { decodeText } from "../../protocol/text.ts";
import { readBlockLength, S2BlockDecoder, S2Error } from "../../s2/block-decoder.ts";
import { Crc32c } from "./crc32c.ts";
import { corruptS2, SnapshotError, unexpectedEnd } from "./errors.ts";
import { PendingBytes } from "./pending-bytes.ts";
import {
  CHECKSUM,
  CHUNK_HEADER,
  COMPRESSED,
  FIRST_SKIPPABLE,
  IDENTIFIER,
  MAX_BLOCK,
  MAX_COMPRESSED,
  MAX_SNAPPY_BLOCK,
  maskChecksum,
  S2_MAGIC,
  SNAPPY_MAGIC,
  UNCOMPRESSED,
} from "./s2-format.ts";

/** What is decompressed, checked and given out in one step, in bytes: some hundred microseconds of work. */
const STEP = 64 * 1024;

const NOTHING = new Uint8Array(0);

/**
 * Decompresses S2 frames as they come in. Holds one block at most (4 MiB), before and after decompression.
 */
export class S2Reader {
  readonly #input = new PendingBytes();
  readonly #decoder = new S2BlockDecoder();
  readonly #crc = new Crc32c();
  #identified = false;
  #maxBlock = MAX_BLOCK;
  /** How many bytes of a chunk that means nothing are still to come. */
  #skipping = 0;
  #block: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** The block at hand: its length, what has been checked and given out of it, and its checksum. */
  #length = 0;
  #checked = 0;
  #given = 0;
  #checksum = 0;
  /** Whether the block at hand is decompressed already. */
  #decoded = true;

  /** Adds what came in. All that it yields is to be taken with {@link next} before more is added. */
  push(bytes: Uint8Array): void {
    this.#input.push(bytes);
  }

  /**
   * Works on, for a step. Returns what came out, which is valid until the next call and may be nothing yet; undefined when
   * more must come in first.
   * @throws SnapshotError
   */
  next(): Uint8Array | undefined {
    if (this.#given < this.#length) return this.#step();
    return this.#chunk();
  }

  /**
   * Nothing more comes in.
   * @throws SnapshotError when there is a piece missing.
   */
  end(): void {
    if (this.#input.length > 0 || this.#skipping > 0) throw unexpectedEnd();
  }

  #step(): Uint8Array {
    if (!this.#decoded) this.#decoded = this.#decode(STEP);
    const ready = this.#decoded ? this.#length : this.#decoder.done;
    if (this.#checked < this.#length) {
      const end = Math.min(ready, this.#checked + STEP);
      this.#crc.update(this.#block, this.#checked, end);
      this.#checked = end;
      if (end < this.#length || !this.#decoded) return NOTHING;
      if (maskChecksum(this.#crc.value) !== this.#checksum) throw new SnapshotError("s2: crc mismatch");
    }
    const start = this.#given;
    this.#given = Math.min(start + STEP, this.#length);
    return this.#block.subarray(start, this.#given);
  }

  #chunk(): Uint8Array | undefined {
    const input = this.#input;
    if (this.#skipping > 0) {
      const skipped = Math.min(this.#skipping, input.length);
      this.#skipping -= skipped;
      input.skip(skipped);
      if (this.#skipping > 0) return undefined;
    }
    const header = input.peek(CHUNK_HEADER);
    if (header === undefined) return undefined;
    const type = header[0];
    const size = header[1] | (header[2] << 8) | (header[3] << 16);
    if (!this.#identified && type !== IDENTIFIER) throw corruptS2();
    if (type === IDENTIFIER) return this.#identifier(size);
    if (type === COMPRESSED || type === UNCOMPRESSED) return this.#data(type, size);
    if (type < FIRST_SKIPPABLE) throw new SnapshotError("s2: unsupported input");
    input.skip(CHUNK_HEADER);
    this.#skipping = size;
    return NOTHING;
  }

  #identifier(size: number): Uint8Array | undefined {
    if (size !== S2_MAGIC.length) throw corruptS2();
    const chunk = this.#input.take(CHUNK_HEADER + size);
    if (chunk === undefined) return undefined;
    const magic = decodeText(chunk, CHUNK_HEADER, chunk.length);
    if (magic !== S2_MAGIC && magic !== SNAPPY_MAGIC) throw corruptS2();
    this.#identified = true;
    this.#maxBlock = magic === S2_MAGIC ? MAX_BLOCK : MAX_SNAPPY_BLOCK;
    return NOTHING;
  }

  #data(type: number, size: number): Uint8Array | undefined {
    const most = type === COMPRESSED ? MAX_COMPRESSED : this.#maxBlock;
    if (size < CHECKSUM || size - CHECKSUM > most) throw corruptS2();
    // The bytes stay where they are: nothing is added before all that they yield has been taken.
    const chunk = this.#input.take(CHUNK_HEADER + size);
    if (chunk === undefined) return undefined;
    this.#checksum = new DataView(chunk.buffer, chunk.byteOffset).getInt32(CHUNK_HEADER, true);
    const body = chunk.subarray(CHUNK_HEADER + CHECKSUM);
    this.#crc.reset();
    this.#checked = 0;
    this.#given = 0;
    if (type === COMPRESSED) {
      this.#startDecoding(body);
    } else {
      this.#room(body.length).set(body);
      this.#decoded = true;
    }
    if (this.#length === 0 && this.#checksum !== maskChecksum(this.#crc.value)) {
      throw new SnapshotError("s2: crc mismatch");
    }
    return NOTHING;
  }

  #startDecoding(body: Uint8Array): void {
    const { length, at } = understood(() => readBlockLength(body));
    if (length > this.#maxBlock) throw corruptS2();
    this.#decoder.start(body, at, this.#room(length), length);
    this.#decoded = length === 0 && this.#decode(1);
  }

  #decode(count: number): boolean {
    return understood(() => this.#decoder.step(count));
  }

  /** Space for the block at hand. */
  #room(length: number): Uint8Array<ArrayBuffer> {
    this.#length = length;
    if (this.#block.length < length) this.#block = new Uint8Array(length);
    return this.#block;
  }
}

/** @throws SnapshotError for what is no S2. */
function understood<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw error instanceof S2Error ? corruptS2() : error;
  }
}
