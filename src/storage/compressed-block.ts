import { checksum } from "./checksum.ts";
import type { BOX_BYTES } from "./encryption.ts";
import { padded, type RecordBytes, seedAt } from "./records.ts";

/**
 * The blocks that a compressed segment is made of (docs/storage.md): a header of 24 bytes, then what is stored of the block, padded with zeros to a
 * multiple of 8 bytes. Each says all that must be known to read it, so that blocks are found when the table of them is damaged.
 */

/** The bytes of a block's header. */
export const BLOCK_HEADER_BYTES = 24;
/** How many bytes of a segment make a block. */
export const BLOCK_BYTES = 64 * 1024;
/** No block is of more. */
export const MOST_BLOCK_BYTES = 1024 * 1024;
/** "gs2b": begins each block; "gs2t": ends the file, behind where the table is. */
const BLOCK_MARK = 0x62327367;
export const TABLE_MARK = 0x74327367;

/** What a block's header says. */
export interface BlockHead {
  /** How many bytes are stored: as many as the block has when they are not compressed, and {@link BOX_BYTES} more when they are encrypted. */
  readonly stored: number;
  /** Which block it is, from 0 on; one more than the last is the table. */
  readonly number: number;
  /** How many bytes each block has, but the last. */
  readonly blockBytes: number;
  /** How many bytes the segment has. */
  readonly size: number;
}

/** How many blocks there are; also the number of the table. */
export function blockCount({ blockBytes, size }: Pick<BlockHead, "blockBytes" | "size">): number {
  return Math.ceil(size / blockBytes);
}

/** Completes a block of which what is stored stands behind the place for the header. Returns where it ends. */
export function finishBlock({ bytes, words }: RecordBytes, head: BlockHead, salt: number): number {
  const stored = BLOCK_HEADER_BYTES + head.stored;
  const end = padded(stored);
  bytes.fill(0, stored, end);
  words[0] = BLOCK_MARK;
  words[2] = head.stored;
  words[3] = head.number;
  words[4] = head.blockBytes;
  words[5] = head.size / 8;
  words[1] = blockSum(words, 0, end / 4, head.number, salt);
  return end;
}

/** What looks like the header of a block at `at`; undefined when there is none. */
export function readHead({ words }: RecordBytes, at: number): BlockHead | undefined {
  const w = at >> 2;
  if (words[w] !== BLOCK_MARK) return undefined;
  const head: BlockHead = {
    stored: words[w + 2] >>> 0,
    number: words[w + 3] >>> 0,
    blockBytes: words[w + 4] >>> 0,
    size: (words[w + 5] >>> 0) * 8,
  };
  const { blockBytes, number } = head;
  const plausible = blockBytes > 0 && blockBytes <= MOST_BLOCK_BYTES && number <= blockCount(head);
  return plausible ? head : undefined;
}

/** What the content of an encrypted block is bound to: which it is of which. */
export function blockBound({ number, blockBytes, size }: BlockHead): Uint8Array {
  return new Uint8Array(Uint32Array.of(number, blockBytes, size / 8).buffer);
}

/** Where the block at `at` ends. */
export function blockEnd(head: BlockHead, at: number): number {
  return at + BLOCK_HEADER_BYTES + Math.ceil(head.stored / 8) * 8;
}

/** Whether the block at `at`, which must be there to its end, is what was written. */
export function isSound({ words }: RecordBytes, head: BlockHead, at: number, salt: number): boolean {
  return blockSum(words, at / 4, blockEnd(head, at) / 4, head.number, salt) === words[at / 4 + 1];
}

/** A block counts only in its file and as the one that it is. */
function blockSum(words: Int32Array, w: number, end: number, number: number, salt: number): number {
  return checksum(words, w + 2, end, seedAt(salt, number * 8));
}
