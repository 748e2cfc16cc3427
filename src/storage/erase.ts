import type { Disk, ReadFile } from "../seams/disk.ts";
import { writeCompressed } from "./compressor.ts";
import type { FileLog } from "./file-log.ts";
import type { Pacer } from "./pacer.ts";
import { FoundRecord, HEADER_BYTES, recordBytes, seedAt } from "./records.ts";
import type { Segment } from "./segment.ts";

/** More than a header and the longest subject. */
const HEAD_BYTES = HEADER_BYTES + 65_536;
const PIECE_BYTES = 1024 * 1024;

/** Headers and payload of a message. */
interface Body {
  readonly start: number;
  readonly end: number;
}

/**
 * Overwrites the headers and payload of the messages at `positions` with zeros, in the file and in memory. Their records are then some without a
 * sound body. What cannot be read is left as it is.
 */
export async function eraseBodies(
  log: FileLog,
  segment: Segment,
  positions: readonly number[],
  pacer: Pacer,
): Promise<void> {
  const { cache, disk } = log.context;
  const reader = await segment.reader();
  const bodies: Body[] = [];
  for (const position of positions) {
    const body = await findBody(reader, segment.salt, position);
    if (body !== undefined) bodies.push(body);
  }
  for (const { bytes, position } of segment.slabs) for (const body of bodies) clear(bytes, position, body);
  for (const window of [...segment.windows]) {
    // While others had their turn its array may have become that of another one.
    if (!segment.windows.includes(window)) continue;
    for (const body of bodies) clear(window.bytes, window.position, body);
    // What comes into memory meanwhile is forgotten below.
    if (pacer.due) await pacer.rest();
  }
  if (bodies.length > 0) {
    if (segment.compressed) await rewrite(disk, segment, bodies, pacer);
    else await overwrite(segment, bodies);
  }
  cache.forget(segment);
}

async function findBody(reader: ReadFile, salt: number, position: number): Promise<Body | undefined> {
  const record = new FoundRecord();
  for (const size of [HEADER_BYTES + 256, HEAD_BYTES]) {
    const head = recordBytes(size);
    const used = await reader.read(head.bytes, position);
    const result = record.read(head, used, 0, seedAt(salt, position));
    if (result === "read") return { start: position + record.bodyStart, end: position + record.end };
    if (result === "bad") return undefined;
  }
  return undefined;
}

/** Makes zeros of what of a body is in `bytes`, which stand at a position of the segment. */
function clear(bytes: Uint8Array, position: number, { start, end }: Body): void {
  bytes.fill(0, Math.max(0, start - position), Math.max(0, end - position));
}

async function overwrite(segment: Segment, bodies: readonly Body[]): Promise<void> {
  const file = await segment.file();
  for (const { start, end } of bodies) {
    const zeros = new Uint8Array(Math.min(PIECE_BYTES, end - start));
    for (let at = start; at < end; at += zeros.length) {
      await file.write(zeros.subarray(0, Math.min(zeros.length, end - at)), at);
    }
  }
  await file.sync();
}

/** Writes a compressed segment anew, without the bodies, and overwrites where they were in the file before. */
async function rewrite(disk: Disk, segment: Segment, bodies: readonly Body[], pacer: Pacer): Promise<void> {
  const former = await segment.unpacked();
  const { blockBytes } = former;
  const touched = new Set<number>();
  for (const { start, end } of bodies) {
    for (let at = start - (start % blockBytes); at < end; at += blockBytes) touched.add(at / blockBytes);
  }
  await writeCompressed(disk, segment, blockBytes, pacer, async (writer) => {
    for (let number = 0; number < former.blocks; number++) {
      if (!touched.has(number)) {
        await writer.addWhole(await former.stored(number));
        continue;
      }
      const block = await former.block(number);
      pacer.rested();
      for (const body of bodies) clear(block, number * blockBytes, body);
      await writer.add(block);
    }
    return true;
  });
  await segment.replaced();
  try {
    await former.wipe(touched);
  } finally {
    await former.close();
  }
}
