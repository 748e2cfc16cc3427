/** Where the fields of a tar header are (POSIX ustar): start and length in its 512 bytes. */
export const TAR_BLOCK = 512;
export const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 6],
  version: [263, 2],
  uname: [265, 32],
  gname: [297, 32],
  prefix: [345, 155],
} as const satisfies Readonly<Record<string, readonly [start: number, length: number]>>;

export const REGULAR = "0";
/** A file's attributes, as lines of names and values (pax), for the next file. */
export const PAX = "x";
/** The same for all files that follow. */
export const PAX_GLOBAL = "g";
/** The next file's name, when it is long (GNU tar). */
export const LONG_NAME = "L";

/** The sum of a header's bytes, those of the sum itself taken as spaces. */
export function tarChecksum(header: Uint8Array): number {
  const [start, length] = FIELDS.checksum;
  let sum = length * 0x20;
  for (let i = 0; i < TAR_BLOCK; i++) if (i < start || i >= start + length) sum += header[i];
  return sum;
}

/** How many bytes fill up a block behind so many. */
export function tarPadding(size: number): number {
  return (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
}
