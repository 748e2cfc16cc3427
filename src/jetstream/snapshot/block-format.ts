import type { HighwayHash } from "./highway-hash.ts";
import { hashFor } from "./meta.ts";

/**
 * The records of nats-server's message blocks, all numbers little-endian:
 *
 *     total length (4; top bit: has headers) | sequence (8) | time in ns (8) | length of subject (2) |
 *     subject | [length of headers (4) | headers] | payload | checksum (8)
 *
 * The checksum is of the sequence, the time, the subject, headers and payload, with a key made from the stream's name and the block's number.
 * A set top bit of the sequence says that the message was erased; the bit below that it is removed, wherever it was.
 */

/** The bytes of a record before its subject, and its checksum. */
export const HEAD = 22;
export const CHECKSUM = 8;
/** The top bit of the length. */
export const HAS_HEADERS = 2 ** 31;
/** Bits of the upper half of the sequence. */
export const ERASED = 2 ** 31;
export const REMOVED = 2 ** 30;

/** No record is longer (nats-server takes longer ones for damage). */
export const MAX_RECORD = 32 * 1024 * 1024;

/** A block's hash: the key is made from the stream's name and the block's number. */
export function blockHash(stream: string, index: number): HighwayHash {
  return hashFor(`${stream}-${index}`);
}
