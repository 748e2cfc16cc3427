import type { Disk } from "../seams/disk.ts";
import { BLOCK_BYTES } from "./compressed-block.ts";
import { CompressedWriter } from "./compressed-writer.ts";
import type { FileLog } from "./file-log.ts";
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
  stopping: () => boolean,
): Promise<void> {
  const { disk, blockBytes = BLOCK_BYTES } = log.context;
  const { size } = segment;
  const file = await segment.file();
  const block = new Uint8Array(blockBytes);
  const written = await writeCompressed(disk, segment, blockBytes, async (writer) => {
    for (let at = 0; at < size; at += blockBytes) {
      if (stopping()) return false;
      const part = block.subarray(0, Math.min(blockBytes, size - at));
      if ((await file.read(part, at)) < part.length) {
        // Somebody has cut it.
        segment.damaged = true;
        return false;
      }
      await writer.add(part);
    }
    return true;
  });
  if (!written) return;
  await segment.replaced();
  await file.close();
}

/** Writes the compressed file of a segment, in place of the one that is there. @param write - adds the blocks; returns whether the file is to be kept. */
export function writeCompressed(
  disk: Disk,
  segment: Segment,
  blockBytes: number,
  write: (writer: CompressedWriter) => Promise<boolean>,
): Promise<boolean> {
  return writeWhole(disk, segment.compressedPath, async (file) => {
    const writer = new CompressedWriter(file, segment.salt, segment.size, blockBytes);
    if (!(await write(writer))) return false;
    await writer.finish();
    return true;
  });
}
