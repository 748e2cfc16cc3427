/**
 * The frames that Snappy and its extension S2 come in (github.com/google/snappy, framing_format.txt; github.com/klauspost/compress, s2): chunks of
 * a type, a length of 24 bits and, for data, a checksum of what was compressed.
 */

export const COMPRESSED = 0x00;
export const UNCOMPRESSED = 0x01;
/** Types below this must be known; those from here on may be skipped. */
export const FIRST_SKIPPABLE = 0x80;
export const IDENTIFIER = 0xff;

export const CHUNK_HEADER = 4;
export const CHECKSUM = 4;

/** What an identifier says: blocks as S2 has them, or as Snappy. */
export const S2_MAGIC = "S2sTwO";
export const SNAPPY_MAGIC = "sNaPpY";

/** The most bytes that a block is of, before it is compressed. */
export const MAX_BLOCK = 4 * 1024 * 1024;
export const MAX_SNAPPY_BLOCK = 64 * 1024;

/** The most that a compressed block can come to (Snappy's bound, with what S2 may add). */
export const MAX_COMPRESSED = 10 + MAX_BLOCK + Math.ceil(MAX_BLOCK / 6);

/** A checksum as frames hold it, so that checksums of data with checksums in it stay good. */
export function maskChecksum(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) | 0;
}
