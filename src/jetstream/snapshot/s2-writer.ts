import { encodeText } from "../../protocol/text.ts";
import { maxEncodedLength, S2BlockEncoder } from "../../s2/block-encoder.ts";
import { Crc32c } from "./crc32c.ts";
import {
  CHECKSUM,
  CHUNK_HEADER,
  COMPRESSED,
  IDENTIFIER,
  maskChecksum,
  S2_MAGIC,
  UNCOMPRESSED,
} from "./s2-format.ts";

/** What is compressed at once: what any reader of Snappy takes, and less than a millisecond of work. */
const BLOCK = 64 * 1024;

/** A block must become smaller by this part of it (a power of two), or is left as it is. */
const GAIN_BITS = 5;

/** Compresses into S2 frames. */
export class S2Writer {
  readonly #encoder = new S2BlockEncoder();
  readonly #crc = new Crc32c();
  readonly #block = new Uint8Array(BLOCK);
  readonly #frame = new Uint8Array(CHUNK_HEADER + CHECKSUM + maxEncodedLength(BLOCK));
  #length = 0;
  #begun = false;

  /** How many bytes may be added before a block is full. */
  get room(): number {
    return BLOCK - this.#length;
  }

  /** Adds `bytes[start, end)`, at most {@link room}. */
  add(bytes: Uint8Array, start: number, end: number): void {
    this.#block.set(bytes.subarray(start, end), this.#length);
    this.#length += end - start;
  }

  /** Gives out what was added, as frames that are valid until the next call. */
  frames(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    if (!this.#begun) frames.push(identifier());
    this.#begun = true;
    if (this.#length > 0) frames.push(this.#data());
    this.#length = 0;
    return frames;
  }

  #data(): Uint8Array {
    const frame = this.#frame;
    const body = CHUNK_HEADER + CHECKSUM;
    const length = this.#length;
    let end = this.#encoder.encode(this.#block, length, frame, body);
    const compressed = end - body <= length - (length >> GAIN_BITS) - 1;
    if (!compressed) {
      frame.set(this.#block.subarray(0, length), body);
      end = body + length;
    }
    writeHeader(frame, compressed ? COMPRESSED : UNCOMPRESSED, end - CHUNK_HEADER);
    this.#crc.reset();
    this.#crc.update(this.#block, 0, length);
    new DataView(frame.buffer).setInt32(CHUNK_HEADER, maskChecksum(this.#crc.value), true);
    return frame.subarray(0, end);
  }
}

function identifier(): Uint8Array {
  const frame = new Uint8Array(CHUNK_HEADER + S2_MAGIC.length);
  writeHeader(frame, IDENTIFIER, S2_MAGIC.length);
  frame.set(encodeText(S2_MAGIC), CHUNK_HEADER);
  return frame;
}

function writeHeader(frame: Uint8Array, type: number, size: number): void {
  frame[0] = type;
  frame[1] = size;
  frame[2] = size >> 8;
  frame[3] = size >> 16;
}
