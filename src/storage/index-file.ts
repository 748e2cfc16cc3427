import { type Disk, DiskError, type DiskFile } from "../seams/disk.ts";
import { checksum } from "./checksum.ts";
import type { FileLog } from "./file-log.ts";
import type { KeptNote } from "./file-store.ts";
import { Chunk } from "./message-index.ts";
import { Pacer } from "./pacer.ts";
import { padded, type RecordBytes, recordBytes } from "./records.ts";
import { type SavedArray, SavedArrays } from "./saved-arrays.ts";
import type { LostMessages } from "./store.ts";
import type { StreamIndex } from "./stream-index.ts";

/** The name of a stream's index file. */
export const INDEX_NAME = "stream.index";
const VERSION = "gnatlet index 1";
/** A block's checksum goes over so many words at a time, each piece beginning with the checksum of the one before. */
const PIECE_WORDS = 256 * 1024;
const BLOCK_HEAD_BYTES = 16;

/** The first block of an index file: what the stream was when it was closed. */
export interface IndexHead {
  readonly version: string;
  readonly messages: number;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lastTime: number;
  readonly lost: LostMessages | undefined;
  readonly chunks: number;
  readonly segments: readonly IndexedSegment[];
  readonly notes: readonly { readonly time: number; readonly bytes: string; readonly segment: number }[];
}

/** A segment as it was when its stream was closed. */
export interface IndexedSegment {
  readonly name: string;
  readonly size: number;
  readonly sealed: boolean;
  readonly damaged: boolean;
  readonly total: number;
  readonly live: number;
  readonly lastRecord: number;
}

/** Writes the index of a stream that is closed: with it, it opens without a look at its messages. */
export async function writeIndex(
  stream: StreamIndex,
  log: FileLog,
  notes: readonly KeptNote[],
): Promise<void> {
  const { disk } = log.context;
  const path = `${log.directory}/${INDEX_NAME}`;
  const head: IndexHead = {
    version: VERSION,
    messages: stream.messages,
    bytes: stream.bytes,
    firstSeq: stream.firstSeq,
    lastSeq: stream.lastSeq,
    lastTime: stream.lastTime,
    lost: stream.lost,
    chunks: stream.index.chunks.length,
    segments: log.segments.map((each) => ({
      name: each.path.slice(log.directory.length + 1),
      size: each.size,
      sealed: each.sealed,
      damaged: each.damaged,
      total: each.total,
      live: each.live,
      lastRecord: each.lastRecord,
    })),
    notes: notes.map(({ time, bytes, segment }) => ({
      time,
      bytes: toHex(bytes),
      segment: log.segments.indexOf(segment),
    })),
  };
  const file = await disk.open(`${path}.tmp`, true);
  try {
    await file.truncate(0);
    const writer = new BlockWriter(file, new Pacer(stream.clock));
    await writer.write([new TextEncoder().encode(JSON.stringify(head))]);
    await writer.write(stream.subjectTable.save());
    await writer.write([...stream.index.saveFar(), Float64Array.from([...stream.expiry.entries()].flat())]);
    for (const chunk of stream.index.chunks) await writer.write(chunk.save());
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(`${path}.tmp`, path);
  await disk.syncDirectory(log.directory);
}

/** An index file that is being read. */
export class IndexFile {
  readonly head: IndexHead;
  readonly #file: DiskFile;
  readonly #pacer: Pacer;
  #position: number;

  constructor(head: IndexHead, file: DiskFile, position: number, pacer: Pacer) {
    this.head = head;
    this.#file = file;
    this.#position = position;
    this.#pacer = pacer;
  }

  /** Opens the index of a stream; undefined when there is none, or its first block is damaged. */
  static async open(disk: Disk, directory: string, pacer: Pacer): Promise<IndexFile | undefined> {
    let file: DiskFile;
    try {
      file = await disk.open(`${directory}/${INDEX_NAME}`, false);
    } catch (error) {
      if (error instanceof DiskError && error.kind === "missing") return undefined;
      throw error;
    }
    const block = await readBlock(file, 0, pacer);
    const head = block && parseHead(block.arrays.u8());
    if (head !== undefined) return new IndexFile(head, file, block!.end, pacer);
    await file.close();
    return undefined;
  }

  /** Fills an empty stream. Returns whether all of the index was sound; the stream is of no use otherwise. */
  async load(stream: StreamIndex): Promise<boolean> {
    const { head } = this;
    const subjects = await this.#next();
    const others = await this.#next();
    if (subjects === undefined || others === undefined) return false;
    stream.subjectTable.load(subjects);
    stream.index.loadFar(others);
    const ttls = others.f64();
    for (let i = 0; i < head.chunks; i++) {
      const arrays = await this.#next();
      if (arrays === undefined) return false;
      stream.index.chunks.push(Chunk.load(arrays));
    }
    stream.messages = head.messages;
    stream.bytes = head.bytes;
    stream.firstSeq = head.firstSeq;
    stream.lastSeq = head.lastSeq;
    stream.lastTime = head.lastTime;
    stream.lost = head.lost;
    for (let i = 0; i < ttls.length; i += 2) {
      if (stream.index.locate(ttls[i])) {
        stream.expiry.add(ttls[i], stream.index.chunk.time[stream.index.slot], ttls[i + 1]);
      }
    }
    return true;
  }

  async #next(): Promise<SavedArrays | undefined> {
    const block = await readBlock(this.#file, this.#position, this.#pacer);
    if (block === undefined) return undefined;
    this.#position = block.end;
    return block.arrays;
  }

  /** Ends the use of it. */
  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Writes blocks, one after the other: the head (u32 words, i32 checksum, u32 arrays, 0), the arrays' lengths, the arrays. */
class BlockWriter {
  readonly #file: DiskFile;
  readonly #pacer: Pacer;
  #position = 0;

  constructor(file: DiskFile, pacer: Pacer) {
    this.#file = file;
    this.#pacer = pacer;
  }

  async write(arrays: readonly SavedArray[]): Promise<void> {
    const lengths = padded(arrays.length * 4);
    let size = BLOCK_HEAD_BYTES + lengths;
    for (const each of arrays) size += padded(each.byteLength);
    const block = recordBytes(size);
    let at = BLOCK_HEAD_BYTES + lengths;
    for (let i = 0; i < arrays.length; i++) {
      const { buffer, byteOffset, byteLength } = arrays[i];
      block.words[BLOCK_HEAD_BYTES / 4 + i] = byteLength;
      for (let from = 0; from < byteLength; from += PIECE_WORDS * 4) {
        const length = Math.min(PIECE_WORDS * 4, byteLength - from);
        block.bytes.set(new Uint8Array(buffer, byteOffset + from, length), at + from);
        if (this.#pacer.due) await this.#pacer.rest();
      }
      at += padded(byteLength);
    }
    block.words[0] = size / 4;
    block.words[2] = arrays.length;
    block.words[1] = await blockSum(block, this.#pacer);
    await this.#file.write(block.bytes, this.#position);
    this.#pacer.rested();
    this.#position += size;
  }
}

/** The checksum of a block: of all after its place in the head, and of the length before it. */
async function blockSum({ words }: RecordBytes, pacer: Pacer): Promise<number> {
  let sum = words[0];
  for (let at = 2; at < words.length; at += PIECE_WORDS) {
    if (pacer.due) await pacer.rest();
    sum = checksum(words, at, Math.min(at + PIECE_WORDS, words.length), sum);
  }
  return sum;
}

async function readBlock(
  file: DiskFile,
  position: number,
  pacer: Pacer,
): Promise<{ arrays: SavedArrays; end: number } | undefined> {
  const start = recordBytes(BLOCK_HEAD_BYTES);
  if ((await file.read(start.bytes, position)) < BLOCK_HEAD_BYTES) return undefined;
  const size = (start.words[0] >>> 0) * 4;
  if (size < BLOCK_HEAD_BYTES || size % 8 !== 0 || position + size > (await file.size())) return undefined;
  const block = recordBytes(size);
  if ((await file.read(block.bytes, position)) < size) return undefined;
  pacer.rested();
  if ((await blockSum(block, pacer)) !== block.words[1]) return undefined;
  const parts: Uint8Array[] = [];
  const count = block.words[2];
  let at = BLOCK_HEAD_BYTES + padded(count * 4);
  for (let i = 0; i < count; i++) {
    const length = block.words[BLOCK_HEAD_BYTES / 4 + i] >>> 0;
    parts.push(block.bytes.subarray(at, at + length));
    at += padded(length);
  }
  return { arrays: new SavedArrays(parts), end: position + size };
}

function parseHead(bytes: Uint8Array): IndexHead | undefined {
  const head = JSON.parse(new TextDecoder().decode(bytes)) as IndexHead;
  return head.version === VERSION ? head : undefined;
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of a note in the head. */
export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(i * 2, i * 2 + 2), 16);
  return bytes;
}
