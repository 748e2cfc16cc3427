import { S2BlockDecoder, S2Error } from "../s2/block-decoder.ts";
import type { DiskFile, ReadFile } from "../seams/disk.ts";
import {
  BLOCK_HEADER_BYTES,
  type BlockHead,
  blockBound,
  blockCount,
  blockEnd,
  isSound,
  MOST_BLOCK_BYTES,
  readHead,
  TABLE_MARK,
} from "./compressed-block.ts";
import { decompress, NOWHERE } from "./compressed-writer.ts";
import { BOX_BYTES, type FileCipher } from "./encryption.ts";
import { padded, type RecordBytes, recordBytes } from "./records.ts";

/** So many bytes stand at the end: where the table is, and a mark. */
const END_BYTES = 8;
/** When blocks are looked for, so much is read at once. */
const WALK_BYTES = 2 * MOST_BLOCK_BYTES;

/** Where the blocks are, and what they make. */
interface Layout {
  readonly blockBytes: number;
  readonly size: number;
  /** In units of 8 bytes; {@link NOWHERE} when a block was not found. */
  readonly positions: Uint32Array;
  /** Where they end in the file, in bytes. */
  readonly end: number;
}

/** A compressed segment as the bytes that it is made of. A block that is damaged reads as zeros, which are no record. */
export class CompressedFile implements ReadFile {
  /** How many bytes each block has, but the last. */
  readonly blockBytes: number;
  readonly #file: DiskFile;
  readonly #salt: number;
  readonly #size: number;
  readonly #positions: Uint32Array;
  readonly #end: number;
  readonly #cipher: FileCipher | undefined;
  /** The most bytes that are stored of a block. */
  readonly #most: number;
  readonly #decoder = new S2BlockDecoder();

  private constructor(
    file: DiskFile,
    salt: number,
    { blockBytes, size, positions, end }: Layout,
    cipher: FileCipher | undefined,
  ) {
    this.#file = file;
    this.#salt = salt;
    this.#size = size;
    this.#positions = positions;
    this.#end = end;
    this.blockBytes = blockBytes;
    this.#cipher = cipher;
    this.#most = BLOCK_HEADER_BYTES + padded(mostStored(blockBytes, cipher));
  }

  /**
   * Opens one, whose blocks are looked for if the table cannot be read.
   * @param cipher - of one that is encrypted.
   * @throws DiskError (rejects)
   */
  static async open(file: DiskFile, salt: number, cipher: FileCipher | undefined): Promise<CompressedFile> {
    const size = await file.size();
    const layout = (await readTable(file, size, salt)) ?? (await findBlocks(file, size, salt, cipher));
    return new CompressedFile(file, salt, layout, cipher);
  }

  /** How many blocks there are. */
  get blocks(): number {
    return this.#positions.length;
  }

  async size(): Promise<number> {
    return this.#size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const { blockBytes } = this;
    const end = Math.min(position + into.length, this.#size);
    let room: RecordBytes | undefined;
    let at = position;
    while (at < end) {
      const number = Math.floor(at / blockBytes);
      const start = number * blockBytes;
      const length = this.#lengthOf(number);
      const stop = Math.min(end, start + length);
      const target = into.subarray(at - position, stop - position);
      room ??= recordBytes(this.#most);
      if (stop - at === length) {
        await this.#readBlock(number, target, room);
      } else {
        const block = new Uint8Array(length);
        await this.#readBlock(number, block, room);
        target.set(block.subarray(at - start, stop - start));
      }
      at = stop;
    }
    return Math.max(0, at - position);
  }

  /** The bytes of a block; zeros when it is damaged. */
  async block(number: number): Promise<Uint8Array> {
    const block = new Uint8Array(this.#lengthOf(number));
    await this.read(block, number * this.blockBytes);
    return block;
  }

  /** A block as it stands in the file, whatever its state, up to the next that was found; undefined when it is nowhere. */
  async stored(number: number): Promise<Uint8Array | undefined> {
    const position = this.#positions[number];
    if (position === NOWHERE) return undefined;
    const next = this.#positions.find((each, i) => i > number && each !== NOWHERE);
    const end = next === undefined ? this.#end : next * 8;
    const bytes = new Uint8Array(Math.min(end - position * 8, this.#most));
    return bytes.subarray(0, await this.#file.read(bytes, position * 8));
  }

  /** Overwrites blocks with zeros, for good. Another file is in the place of this one. @throws DiskError (rejects) */
  async wipe(numbers: Iterable<number>): Promise<void> {
    for (const number of numbers) {
      const block = await this.stored(number);
      if (block !== undefined) await this.#file.write(block.fill(0), this.#positions[number] * 8);
    }
    await this.#file.sync();
  }

  /** Whether every block can be read. */
  async isWhole(): Promise<boolean> {
    const room = recordBytes(this.#most);
    const block = new Uint8Array(this.blockBytes);
    for (let number = 0; number < this.blocks; number++) {
      if (!(await this.#readBlock(number, block.subarray(0, this.#lengthOf(number)), room))) return false;
    }
    return this.#size > 0;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #lengthOf(number: number): number {
    return Math.min(this.blockBytes, this.#size - number * this.blockBytes);
  }

  /** Fills `to` with a block. Returns whether it could be read: it is zeros otherwise. */
  async #readBlock(number: number, to: Uint8Array, room: RecordBytes): Promise<boolean> {
    const position = this.#positions[number];
    const used = position === NOWHERE ? 0 : await this.#file.read(room.bytes, position * 8);
    const sound = used >= BLOCK_HEADER_BYTES && this.#decode(number, to, room, used);
    if (!sound) to.fill(0);
    return sound;
  }

  #decode(number: number, to: Uint8Array, room: RecordBytes, used: number): boolean {
    const head = readHead(room, 0);
    if (head === undefined || head.number !== number) return false;
    if (blockEnd(head, 0) > used || !isSound(room, head, 0, this.#salt)) return false;
    const stored = room.bytes.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + head.stored);
    const cipher = this.#cipher;
    const block = cipher === undefined ? stored : cipher.decrypt(stored, blockBound(head));
    if (block === undefined) return false;
    if (block.length === to.length) {
      to.set(block);
      return true;
    }
    try {
      decompress(this.#decoder, block, to);
      return true;
    } catch (error) {
      if (error instanceof S2Error) return false;
      throw error;
    }
  }
}

/** Reads where the blocks are from the table at the end; undefined when that is damaged. */
async function readTable(file: DiskFile, fileSize: number, salt: number): Promise<Layout | undefined> {
  const end = recordBytes(END_BYTES);
  if (fileSize < END_BYTES || fileSize % 8 !== 0) return undefined;
  await file.read(end.bytes, fileSize - END_BYTES);
  const position = (end.words[0] >>> 0) * 8;
  const size = fileSize - END_BYTES - position;
  if (end.words[1] !== TABLE_MARK || size < BLOCK_HEADER_BYTES) return undefined;
  const table = recordBytes(size);
  await file.read(table.bytes, position);
  const head = readHead(table, 0);
  if (head === undefined || head.number !== blockCount(head) || head.stored !== head.number * 4)
    return undefined;
  if (blockEnd(head, 0) !== size || !isSound(table, head, 0, salt)) return undefined;
  const positions = new Uint32Array(table.bytes.buffer, BLOCK_HEADER_BYTES, head.number);
  return { blockBytes: head.blockBytes, size: head.size, positions, end: position };
}

/** Finds the blocks by their headers. Where none is, the next one is looked for at every 8th byte. */
async function findBlocks(
  file: DiskFile,
  fileSize: number,
  salt: number,
  cipher: FileCipher | undefined,
): Promise<Layout> {
  const room = recordBytes(WALK_BYTES);
  let layout: Layout = {
    blockBytes: MOST_BLOCK_BYTES,
    size: 0,
    positions: new Uint32Array(0),
    end: fileSize,
  };
  let start = 0;
  let used = 0;
  const reach = async (at: number, end: number): Promise<boolean> => {
    if (end <= start + used) return true;
    if (end > fileSize) return false;
    start = at;
    used = await file.read(room.bytes, at);
    return end <= start + used;
  };
  for (let at = 0; await reach(at, at + BLOCK_HEADER_BYTES); ) {
    const head = readHead(room, at - start);
    const end = head === undefined ? 0 : blockEnd(head, at);
    if (
      head !== undefined &&
      head.stored <= mostStored(head.blockBytes, cipher) &&
      (await reach(at, end)) &&
      isSound(room, head, at - start, salt)
    ) {
      if (layout.size === 0) layout = emptyLayout(head, fileSize);
      if (head.number < layout.positions.length) layout.positions[head.number] = at / 8;
      at = end;
    } else at += 8;
  }
  return layout;
}

/** The most bytes that can be stored of a block: the table has more than that, and is none. */
function mostStored(blockBytes: number, cipher: FileCipher | undefined): number {
  return blockBytes + (cipher === undefined ? 0 : BOX_BYTES);
}

function emptyLayout(head: BlockHead, end: number): Layout {
  const { blockBytes, size } = head;
  return { blockBytes, size, positions: new Uint32Array(blockCount(head)).fill(NOWHERE), end };
}
