import { type CipherName, NONCE_BYTES, TAG_BYTES } from "../seams/ciphers.ts";
import type { DiskFile } from "../seams/disk.ts";
import { checksum } from "./checksum.ts";
import { BOX_BYTES, cipherNumber, cipherOf, type FileCipher } from "./encryption.ts";
import type { Pacer } from "./pacer.ts";
import { padded, type RecordBytes, recordBytes } from "./records.ts";
import { type SavedArray, SavedArrays } from "./saved-arrays.ts";

/** A block's checksum goes over so many words at a time, each piece beginning with the checksum of the one before. */
const PIECE_WORDS = 256 * 1024;
const BLOCK_HEAD_BYTES = 16;
/** What makes a nonce and a tag a multiple of 8 bytes. */
const PADDING_BYTES = padded(BOX_BYTES) - BOX_BYTES;
/** Blocks are written so many bytes at a time; less at first, as most streams are small. */
const WRITE_BYTES = 1024 * 1024;
const FIRST_BYTES = 4 * 1024;

/** How the blocks of an index file are encrypted. */
interface Encryption {
  readonly cipher: CipherName;
  readonly file: FileCipher;
}

type CipherOf = (cipher: CipherName) => FileCipher | undefined;

/**
 * Writes blocks, one after the other: the head (u32 words, i32 checksum, u32 arrays, u32 number of the cipher), the arrays' lengths, the arrays; what
 * comes after the head may be encrypted. Small ones are written together.
 */
export class BlockWriter {
  readonly #file: DiskFile;
  readonly #pacer: Pacer;
  readonly #encryption: Encryption | undefined;
  #blocks = 0;
  #position = 0;
  #room: RecordBytes = recordBytes(0);
  #used = 0;

  constructor(file: DiskFile, pacer: Pacer, encryption: Encryption | undefined) {
    this.#file = file;
    this.#pacer = pacer;
    this.#encryption = encryption;
  }

  async write(arrays: readonly SavedArray[]): Promise<void> {
    const encryption = this.#encryption;
    const lengths = padded(arrays.length * 4);
    const head = BLOCK_HEAD_BYTES + (encryption === undefined ? 0 : NONCE_BYTES);
    let size = head + lengths + (encryption === undefined ? 0 : TAG_BYTES + PADDING_BYTES);
    for (const each of arrays) size += padded(each.byteLength);
    if (this.#used + size > this.#room.bytes.length) {
      await this.flush();
      this.#room = recordBytes(Math.max(size, this.#position === 0 ? FIRST_BYTES : WRITE_BYTES));
    }
    const { bytes, words } = this.#room;
    const start = this.#used;
    this.#used += size;
    let at = start + head + lengths;
    for (let i = 0; i < arrays.length; i++) {
      const { buffer, byteOffset, byteLength } = arrays[i];
      words[(start + head) / 4 + i] = byteLength;
      bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
      at += padded(byteLength);
      if (this.#pacer.due) await this.#pacer.rest();
    }
    words[start / 4] = size / 4;
    words[start / 4 + 2] = arrays.length;
    const end = start + size;
    if (encryption !== undefined) {
      words[start / 4 + 3] = cipherNumber(encryption.cipher);
      const box = bytes.subarray(start + BLOCK_HEAD_BYTES, end - PADDING_BYTES);
      encryption.file.encrypt(box, blockBound(this.#blocks));
    }
    this.#blocks += 1;
    const block = { bytes: bytes.subarray(start, end), words: words.subarray(start / 4, end / 4) };
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
export class BlockReader {
  readonly #file: DiskFile;
  readonly #size: number;
  readonly #pacer: Pacer;
  readonly #cipherOf: CipherOf;
  /** Of the blocks so far, made when there is an encrypted one. */
  #cipher: { readonly number: number; readonly file: FileCipher | undefined } | undefined;
  #blocks = 0;
  #position = 0;
  /** The words of the next block's head; undefined when there is none. */
  #head: Int32Array | undefined;

  private constructor(file: DiskFile, size: number, pacer: Pacer, cipherOf: CipherOf) {
    this.#file = file;
    this.#size = size;
    this.#pacer = pacer;
    this.#cipherOf = cipherOf;
  }

  /** @param cipherOf - asked if the file is encrypted. */
  static async open(file: DiskFile, pacer: Pacer, cipherOf: CipherOf): Promise<BlockReader> {
    const reader = new BlockReader(file, await file.size(), pacer, cipherOf);
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
    const content = this.#decrypted(block);
    this.#blocks += 1;
    return content && new SavedArrays(parts(content, block.words[2]));
  }

  /** What comes after the head. */
  #decrypted({ bytes, words }: RecordBytes): Uint8Array | undefined {
    const number = words[3];
    const content = bytes.subarray(BLOCK_HEAD_BYTES);
    if (number === 0) return content;
    const name = cipherOf(number);
    if (name === undefined) return undefined;
    if (this.#cipher?.number !== number) this.#cipher = { number, file: this.#cipherOf(name) };
    const box = content.subarray(0, content.length - PADDING_BYTES);
    const decrypted = this.#cipher.file?.decrypt(box, blockBound(this.#blocks));
    if (decrypted === undefined) return undefined;
    // Arrays of numbers begin where their elements may.
    const room = recordBytes(decrypted.length);
    room.bytes.set(decrypted);
    return room.bytes;
  }
}

/** The arrays of a block. */
function parts(content: Uint8Array, count: number): Uint8Array[] {
  const { buffer, byteOffset } = content;
  const lengths = new Uint32Array(buffer, byteOffset, count);
  const parts: Uint8Array[] = [];
  let at = padded(count * 4);
  for (const length of lengths) {
    parts.push(content.subarray(at, at + length));
    at += padded(length);
  }
  return parts;
}

/** What the content of an encrypted block is bound to. */
function blockBound(number: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(number).buffer);
}
