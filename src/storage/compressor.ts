import type { Disk } from "../seams/disk.ts";
import { BLOCK_BYTES } from "./compressed-block.ts";
import { CompressedWriter } from "./compressed-writer.ts";
import type { FileLog } from "./file-log.ts";
import type { Pacer } from "./pacer.ts";
import type { FoundRecord, RecordBytes } from "./records.ts";
import { Scanner, type ScanVisitor } from "./scan.ts";
import type { Segment } from "./segment.ts";
import { writeWhole } from "./write-whole.ts";

/**
 * Writes a segment anew, compressed, a block at a time.
 * When this ends, the one of the segment's two files that it does not use any more may be there, and is to go.
 * @param stopping - asked before each block: then all stays as it is.
 * @throws DiskError (rejects)
 */
export async function compressSegment(
  log: FileLog,
  segment: Segment,
  pacer: Pacer,
  stopping: () => boolean,
): Promise<void> {
  const { disk, blockBytes = BLOCK_BYTES } = log.context;
  const file = await segment.file();
  const compress = segment.records === undefined ? compressBytes : compressRecords;
  const written = await writeCompressed(disk, segment, blockBytes, pacer, (writer) =>
    compress(segment, new Blocks(writer, blockBytes, stopping), pacer),
  );
  if (!written) return;
  await segment.replaced();
  await file.close();
}

/** Gathers what comes one after the other to blocks, and gives them to a writer. */
class Blocks {
  readonly #writer: CompressedWriter;
  readonly #block: Uint8Array;
  readonly #stopping: () => boolean;
  #used = 0;

  constructor(writer: CompressedWriter, blockBytes: number, stopping: () => boolean) {
    this.#writer = writer;
    this.#block = new Uint8Array(blockBytes);
    this.#stopping = stopping;
  }

  /** The rest of the block that is being filled: {@link fill} says how much of it was. */
  get room(): Uint8Array {
    return this.#block.subarray(this.#used);
  }

  /** Returns false when no more are wanted. */
  async fill(size: number): Promise<boolean> {
    this.#used += size;
    return this.#used < this.#block.length || this.end();
  }

  /** Adds bytes. Returns false when no more are wanted. */
  async add(bytes: Uint8Array): Promise<boolean> {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + this.room.length);
      this.room.set(part);
      if (!(await this.fill(part.length))) return false;
      at += part.length;
    }
    return true;
  }

  /** Writes what there is of a block. Returns false when no more are wanted. */
  async end(): Promise<boolean> {
    if (this.#stopping()) return false;
    if (this.#used > 0) await this.#writer.add(this.#block.subarray(0, this.#used));
    this.#used = 0;
    return true;
  }
}

/** Compresses a segment as it is. Returns whether all of it was there. */
async function compressBytes(segment: Segment, blocks: Blocks, pacer: Pacer): Promise<boolean> {
  const file = await segment.file();
  for (let at = 0; at < segment.size; ) {
    const part = blocks.room.subarray(0, segment.size - at);
    const read = await file.read(part, at);
    pacer.rested();
    if (read < part.length) {
      // Somebody has cut it.
      segment.damaged = true;
      return false;
    }
    at += part.length;
    if (!(await blocks.fill(part.length))) return false;
  }
  return blocks.end();
}

/** Compresses a segment whose records are encrypted, and would not become less: they are decrypted, and the blocks are encrypted instead. */
async function compressRecords(segment: Segment, blocks: Blocks, pacer: Pacer): Promise<boolean> {
  let going = true;
  const visitor: ScanVisitor = {
    async record({ at, end }: FoundRecord, { bytes }: RecordBytes) {
      going = await blocks.add(bytes.subarray(at, end));
      return going;
    },
    damage() {
      segment.damaged = true;
      going = false;
      return false;
    },
  };
  const { salt, size, records } = segment;
  await new Scanner(pacer).scan(await segment.file(), salt, 0, size, true, visitor, records);
  return going && blocks.end();
}

/** Writes the compressed file of a segment, in place of the one that is there. @param write - adds the blocks; returns whether the file is to be kept. */
export function writeCompressed(
  disk: Disk,
  segment: Segment,
  blockBytes: number,
  pacer: Pacer,
  write: (writer: CompressedWriter) => Promise<boolean>,
): Promise<boolean> {
  return writeWhole(disk, segment.compressedPath, async (file) => {
    const writer = new CompressedWriter(file, segment.salt, segment.size, blockBytes, segment.blocks, pacer);
    if (!(await write(writer))) return false;
    await writer.finish();
    return true;
  });
}
