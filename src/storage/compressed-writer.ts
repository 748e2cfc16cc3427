import { readBlockLength, S2BlockDecoder, S2Error } from "../s2/block-decoder.ts";
import { maxEncodedLength, S2BlockEncoder } from "../s2/block-encoder.ts";
import { NONCE_BYTES } from "../seams/ciphers.ts";
import type { DiskFile } from "../seams/disk.ts";
import { BLOCK_HEADER_BYTES, blockBound, blockCount, finishBlock, TABLE_MARK } from "./compressed-block.ts";
import { BOX_BYTES, type FileCipher } from "./encryption.ts";
import type { Pacer } from "./pacer.ts";
import { padded, type RecordBytes, recordBytes } from "./records.ts";

/** Stands in the table for a block that is nowhere. */
export const NOWHERE = 0xffff_ffff;

/** So much is compressed before the clock is looked at: even where the code is not compiled yet, as with the first block, that takes little time. */
const STEP_BYTES = 16 * 1024;

/** Writes a compressed segment: block after block, then the table. */
export class CompressedWriter {
  readonly #file: DiskFile;
  readonly #salt: number;
  readonly #size: number;
  readonly #blockBytes: number;
  readonly #cipher: FileCipher | undefined;
  readonly #pacer: Pacer;
  readonly #positions: number[] = [];
  readonly #encoder = new S2BlockEncoder();
  readonly #decoder = new S2BlockDecoder();
  readonly #room: RecordBytes;
  readonly #check: Uint8Array;
  #at = 0;

  /**
   * @param size - of the segment, in bytes: a multiple of 8.
   * @param blockBytes - how many bytes of it make a block, at most 64 KiB.
   * @param cipher - encrypts the blocks.
   * @param pacer - says when others are to have their turn.
   */
  constructor(
    file: DiskFile,
    salt: number,
    size: number,
    blockBytes: number,
    cipher: FileCipher | undefined,
    pacer: Pacer,
  ) {
    this.#file = file;
    this.#salt = salt;
    this.#size = size;
    this.#blockBytes = blockBytes;
    this.#cipher = cipher;
    this.#pacer = pacer;
    this.#room = recordBytes(BLOCK_HEADER_BYTES + BOX_BYTES + maxEncodedLength(blockBytes));
    this.#check = new Uint8Array(blockBytes);
  }

  /** Adds the next block, which must not change until this resolves. @throws DiskError (rejects) */
  async add(plain: Uint8Array): Promise<void> {
    const { bytes } = this.#room;
    const number = this.#positions.length;
    const cipher = this.#cipher;
    const start = BLOCK_HEADER_BYTES + (cipher === undefined ? 0 : NONCE_BYTES);
    const end = await this.#encode(plain, start);
    let size = end - start;
    if (size >= plain.length || !(await this.#comesOut(plain, bytes.subarray(start, end)))) {
      bytes.set(plain, start);
      size = plain.length;
    }
    const stored = size + (cipher === undefined ? 0 : BOX_BYTES);
    const head = { stored, number, blockBytes: this.#blockBytes, size: this.#size };
    cipher?.encrypt(bytes.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + stored), blockBound(head));
    await this.addWhole(bytes.subarray(0, finishBlock(this.#room, head, this.#salt)));
  }

  /** Compresses a block; returns where in the room it ends. */
  async #encode(plain: Uint8Array, start: number): Promise<number> {
    const encoder = this.#encoder;
    encoder.start(plain, plain.length, this.#room.bytes, start);
    while (!encoder.step(STEP_BYTES)) if (this.#pacer.due) await this.#pacer.rest();
    return encoder.end;
  }

  /** Whether what was compressed is what comes out again: what it was made of will not be kept. */
  async #comesOut(plain: Uint8Array, compressed: Uint8Array): Promise<boolean> {
    const check = this.#check.subarray(0, plain.length);
    const decoder = this.#decoder;
    try {
      startDecompressing(decoder, compressed, check);
      while (!decoder.step(STEP_BYTES)) if (this.#pacer.due) await this.#pacer.rest();
    } catch (error) {
      if (error instanceof S2Error) return false;
      throw error;
    }
    for (let i = 0; i < plain.length; i++) if (check[i] !== plain[i]) return false;
    return true;
  }

  /** Adds the next block as it stands in another file of the same segment; undefined when it is nowhere. */
  async addWhole(block: Uint8Array | undefined): Promise<void> {
    this.#positions.push(block === undefined ? NOWHERE : this.#at / 8);
    if (block === undefined) return;
    await this.#file.write(block, this.#at);
    this.#pacer.rested();
    this.#at += block.length;
  }

  /** Writes what comes after the last block. */
  async finish(): Promise<void> {
    const blockBytes = this.#blockBytes;
    const size = this.#size;
    const number = blockCount({ blockBytes, size });
    const stored = this.#positions.length * 4;
    const room = recordBytes(BLOCK_HEADER_BYTES + padded(stored) + 8);
    room.words.set(this.#positions, BLOCK_HEADER_BYTES / 4);
    const end = finishBlock(room, { stored, number, blockBytes, size }, this.#salt);
    room.words[end / 4] = this.#at / 8;
    room.words[end / 4 + 1] = TABLE_MARK;
    await this.#file.write(room.bytes, this.#at);
  }
}

/** Decompresses all of a block into `to`, which has its length. @throws S2Error */
export function decompress(decoder: S2BlockDecoder, block: Uint8Array, to: Uint8Array): void {
  startDecompressing(decoder, block, to);
  decoder.step(to.length);
}

function startDecompressing(decoder: S2BlockDecoder, block: Uint8Array, to: Uint8Array): void {
  const { length, at } = readBlockLength(block);
  if (length !== to.length) throw new S2Error("s2: another length");
  decoder.start(block, at, to, length);
}
