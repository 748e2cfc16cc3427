import { type Disk, DiskError, type DiskFile } from "../seams/disk.ts";
import { checksum } from "./checksum.ts";
import type { FileLog } from "./file-log.ts";
import { Chunk } from "./message-index.ts";
import type { NamedNote, NamedNotes } from "./named-notes.ts";
import type { KeptNote, NoteList } from "./note-list.ts";
import { Pacer } from "./pacer.ts";
import { padded, type RecordBytes, recordBytes } from "./records.ts";
import { type SavedArray, SavedArrays } from "./saved-arrays.ts";
import type { Segment } from "./segment.ts";
import type { LostMessages } from "./store.ts";
import type { StreamIndex } from "./stream-index.ts";
import { writeWhole } from "./write-whole.ts";

/** The name of a stream's index file. */
export const INDEX_NAME = "stream.index";
const VERSION = "gnatlet index 3";
/** A block's checksum goes over so many words at a time, each piece beginning with the checksum of the one before. */
const PIECE_WORDS = 256 * 1024;
const BLOCK_HEAD_BYTES = 16;
/** Blocks are written so many bytes at a time; less at first, as most streams are small. */
const WRITE_BYTES = 1024 * 1024;
const FIRST_BYTES = 4 * 1024;

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
  /** How many blocks there are with notes, and with TTLs. */
  readonly noteBlocks: number;
  readonly ttlBlocks: number;
  /** What is kept under names; few, and small. */
  readonly named: readonly IndexedNote[];
}

/** What was kept under a name: the bytes as numbers, the segment's number, the position in it. */
type IndexedNote = readonly [name: string, bytes: readonly number[], segment: number, position: number];

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
  notes: NoteList,
  named: NamedNotes,
): Promise<void> {
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
    noteBlocks: notes.parts.length,
    ttlBlocks: stream.expiry.blocks,
    named: Array.from(named, ({ name, bytes, place }) => [
      name,
      [...bytes],
      log.segments.indexOf(place.segment),
      place.position,
    ]),
  };
  await writeWhole(log.context.disk, `${log.directory}/${INDEX_NAME}`, async (file) => {
    const writer = new BlockWriter(file, new Pacer(stream.clock));
    await writer.write([new TextEncoder().encode(JSON.stringify(head))]);
    for (const block of stream.subjectTable.save()) await writer.write(block);
    await writer.write(stream.index.saveFar());
    for (const block of stream.expiry.save()) await writer.write(block);
    for (const part of notes.parts) await writer.write(saveNotes(part, log.segments));
    for (const chunk of stream.index.chunks) await writer.write(chunk.save());
    await writer.flush();
    return true;
  });
}

/** What was kept under names when the stream was closed. */
export function namedNotes({ named }: IndexHead, segments: readonly Segment[]): NamedNote[] {
  return named.map(([name, bytes, segment, position]) => ({
    name,
    bytes: Uint8Array.from(bytes),
    place: { segment: segments[segment], position },
  }));
}

/** An index file that is being read. */
export class IndexFile {
  readonly head: IndexHead;
  /** What {@link load} has found. */
  readonly notes: KeptNote[] = [];
  readonly #file: DiskFile;
  readonly #blocks: BlockReader;

  constructor(head: IndexHead, file: DiskFile, blocks: BlockReader) {
    this.head = head;
    this.#file = file;
    this.#blocks = blocks;
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
    const blocks = await BlockReader.open(file, pacer);
    const first = await blocks.next();
    const head = first && parseHead(first.u8());
    if (head !== undefined) return new IndexFile(head, file, blocks);
    await file.close();
    return undefined;
  }

  /** Fills an empty stream, and {@link notes}. Returns whether all of the index was sound; the stream is of no use otherwise. */
  async load(stream: StreamIndex, segments: readonly Segment[]): Promise<boolean> {
    const { head } = this;
    if (!(await stream.subjectTable.load(() => this.#blocks.next()))) return false;
    const far = await this.#blocks.next();
    if (far === undefined) return false;
    stream.index.loadFar(far);
    for (let i = 0; i < head.ttlBlocks; i++) {
      const arrays = await this.#blocks.next();
      if (arrays === undefined) return false;
      stream.expiry.load(arrays);
    }
    for (let i = 0; i < head.noteBlocks; i++) {
      const arrays = await this.#blocks.next();
      if (arrays === undefined) return false;
      loadNotes(arrays, segments, this.notes);
    }
    for (let i = 0; i < head.chunks; i++) {
      const arrays = await this.#blocks.next();
      if (arrays === undefined) return false;
      stream.index.chunks.push(Chunk.load(arrays));
    }
    stream.messages = head.messages;
    stream.bytes = head.bytes;
    stream.firstSeq = head.firstSeq;
    stream.lastSeq = head.lastSeq;
    stream.lastTime = head.lastTime;
    stream.lost = head.lost;
    return true;
  }

  /** Ends the use of it. */
  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Writes blocks, one after the other: the head (u32 words, i32 checksum, u32 arrays, 0), the arrays' lengths, the arrays. Small ones are written together. */
class BlockWriter {
  readonly #file: DiskFile;
  readonly #pacer: Pacer;
  #position = 0;
  #room: RecordBytes = recordBytes(0);
  #used = 0;

  constructor(file: DiskFile, pacer: Pacer) {
    this.#file = file;
    this.#pacer = pacer;
  }

  async write(arrays: readonly SavedArray[]): Promise<void> {
    const lengths = padded(arrays.length * 4);
    let size = BLOCK_HEAD_BYTES + lengths;
    for (const each of arrays) size += padded(each.byteLength);
    if (this.#used + size > this.#room.bytes.length) {
      await this.flush();
      this.#room = recordBytes(Math.max(size, this.#position === 0 ? FIRST_BYTES : WRITE_BYTES));
    }
    const { bytes, words } = this.#room;
    const start = this.#used;
    this.#used += size;
    let at = start + BLOCK_HEAD_BYTES + lengths;
    for (let i = 0; i < arrays.length; i++) {
      const { buffer, byteOffset, byteLength } = arrays[i];
      words[(start + BLOCK_HEAD_BYTES) / 4 + i] = byteLength;
      bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
      at += padded(byteLength);
      if (this.#pacer.due) await this.#pacer.rest();
    }
    words[start / 4] = size / 4;
    words[start / 4 + 2] = arrays.length;
    const block = { bytes: bytes.subarray(start, at), words: words.subarray(start / 4, at / 4) };
    words[start / 4 + 1] = await blockSum(block, this.#pacer);
  }

  /** Writes what is left. */
  async flush(): Promise<void> {
    if (this.#used === 0) return;
    await this.#file.write(this.#room.bytes.subarray(0, this.#used), this.#position);
    this.#pacer.rested();
    this.#position += this.#used;
    this.#used = 0;
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

/** Reads blocks, one after the other. */
class BlockReader {
  readonly #file: DiskFile;
  readonly #size: number;
  readonly #pacer: Pacer;
  #position = 0;
  /** The words of the next block's head; undefined when there is none. */
  #head: Int32Array | undefined;

  private constructor(file: DiskFile, size: number, pacer: Pacer) {
    this.#file = file;
    this.#size = size;
    this.#pacer = pacer;
  }

  static async open(file: DiskFile, pacer: Pacer): Promise<BlockReader> {
    const reader = new BlockReader(file, await file.size(), pacer);
    const start = recordBytes(BLOCK_HEAD_BYTES);
    if ((await file.read(start.bytes, 0)) === BLOCK_HEAD_BYTES) reader.#head = start.words;
    return reader;
  }

  /** The arrays of the next block; undefined when there is none that is sound. */
  async next(): Promise<SavedArrays | undefined> {
    const head = this.#head;
    this.#head = undefined;
    if (head === undefined) return undefined;
    const size = (head[0] >>> 0) * 4;
    if (size < BLOCK_HEAD_BYTES || size % 8 !== 0 || this.#position + size > this.#size) return undefined;
    const block = recordBytes(size);
    // Its place at first has the head of the block after it, so that there is one read for each.
    const rest = Math.min(size, this.#size - this.#position - BLOCK_HEAD_BYTES);
    const read = await this.#file.read(block.bytes.subarray(0, rest), this.#position + BLOCK_HEAD_BYTES);
    this.#pacer.rested();
    if (read < rest) return undefined;
    const body = size - BLOCK_HEAD_BYTES;
    if (rest === size) this.#head = block.words.slice(body / 4);
    block.bytes.copyWithin(BLOCK_HEAD_BYTES, 0, body);
    block.words.set(head);
    this.#position += size;
    if ((await blockSum(block, this.#pacer)) !== block.words[1]) return undefined;
    return new SavedArrays(parts(block));
  }
}

function parts({ words, bytes }: RecordBytes): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const count = words[2];
  let at = BLOCK_HEAD_BYTES + padded(count * 4);
  for (let i = 0; i < count; i++) {
    const length = words[BLOCK_HEAD_BYTES / 4 + i] >>> 0;
    parts.push(bytes.subarray(at, at + length));
    at += padded(length);
  }
  return parts;
}

function parseHead(bytes: Uint8Array): IndexHead | undefined {
  const head = JSON.parse(new TextDecoder().decode(bytes)) as IndexHead;
  return head.version === VERSION ? head : undefined;
}

/** Times, lengths, numbers of segments and positions in them, and the bytes of all. */
function saveNotes(notes: Iterable<KeptNote>, segments: readonly Segment[]): SavedArray[] {
  let size = 0;
  for (const { bytes } of notes) size += bytes.length;
  const all = new Uint8Array(size);
  let at = 0;
  for (const { bytes } of notes) {
    all.set(bytes, at);
    at += bytes.length;
  }
  const numbers = new Map(segments.map((segment, i) => [segment, i]));
  return [
    Float64Array.from(notes, ({ time }) => time),
    Uint32Array.from(notes, ({ bytes }) => bytes.length),
    Uint32Array.from(notes, ({ place }) => numbers.get(place.segment)!),
    Float64Array.from(notes, ({ place }) => place.position),
    all,
  ];
}

function loadNotes(saved: SavedArrays, segments: readonly Segment[], notes: KeptNote[]): void {
  const times = saved.f64();
  const lengths = saved.u32();
  const numbers = saved.u32();
  const positions = saved.f64();
  const all = saved.u8();
  let at = 0;
  for (let i = 0; i < times.length; i++) {
    const bytes = all.slice(at, at + lengths[i]);
    notes.push({ time: times[i], bytes, place: { segment: segments[numbers[i]], position: positions[i] } });
    at += lengths[i];
  }
}
