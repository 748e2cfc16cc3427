import { type Disk, DiskError, type DiskFile } from "../seams/disk.ts";
import type { Keys } from "./encryption.ts";
import type { FileLog } from "./file-log.ts";
import { BlockReader, BlockWriter } from "./index-blocks.ts";
import { Chunk } from "./message-index.ts";
import type { NamedNote, NamedNotes } from "./named-notes.ts";
import { type KeptNote, NoteList } from "./note-list.ts";
import { Pacer } from "./pacer.ts";
import type { SavedArray, SavedArrays } from "./saved-arrays.ts";
import type { Segment } from "./segment.ts";
import type { LostMessages } from "./store.ts";
import type { StreamIndex } from "./stream-index.ts";
import { writeWhole } from "./write-whole.ts";

/** The name of a stream's index file. */
export const INDEX_NAME = "stream.index";
const VERSION = "gnatlet index 4";

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
    const { keys } = log;
    const encryption = keys && { cipher: keys.cipher, file: keys.file(keys.cipher, INDEX_NAME) };
    const writer = new BlockWriter(file, new Pacer(stream.clock), encryption);
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
  readonly notes = new NoteList([]);
  readonly #file: DiskFile;
  readonly #blocks: BlockReader;

  constructor(head: IndexHead, file: DiskFile, blocks: BlockReader) {
    this.head = head;
    this.#file = file;
    this.#blocks = blocks;
  }

  /** Opens the index of a stream; undefined when there is none, or its first block is damaged. @param keys - in case that it is encrypted. */
  static async open(
    disk: Disk,
    directory: string,
    keys: Keys | undefined,
    pacer: Pacer,
  ): Promise<IndexFile | undefined> {
    let file: DiskFile;
    try {
      file = await disk.open(`${directory}/${INDEX_NAME}`, false);
    } catch (error) {
      if (error instanceof DiskError && error.kind === "missing") return undefined;
      throw error;
    }
    const blocks = await BlockReader.open(file, pacer, (cipher) => keys?.file(cipher, INDEX_NAME));
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

function loadNotes(saved: SavedArrays, segments: readonly Segment[], notes: NoteList): void {
  const times = saved.f64();
  const lengths = saved.u32();
  const numbers = saved.u32();
  const positions = saved.f64();
  const all = saved.u8();
  let at = 0;
  for (let i = 0; i < times.length; i++) {
    const bytes = all.subarray(at, at + lengths[i]);
    notes.add({ time: times[i], bytes, place: { segment: segments[numbers[i]], position: positions[i] } });
    at += lengths[i];
  }
}
