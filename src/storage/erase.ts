import { FoundRecord, HEADER_BYTES, recordBytes, seedAt } from "./records.ts";
import type { Segment } from "./segment.ts";
import type { WindowCache } from "./window-cache.ts";

/** More than a header and the longest subject. */
const HEAD_BYTES = HEADER_BYTES + 65_536;
const PIECE_BYTES = 1024 * 1024;

/** Overwrites the headers and payload of the message at `position` with zeros, in the file and in memory. Its record is then one without a sound body. */
export async function eraseBody(segment: Segment, position: number, cache: WindowCache): Promise<void> {
  const file = await segment.file();
  const head = recordBytes(HEAD_BYTES);
  const used = await file.read(head.bytes, position);
  const record = new FoundRecord();
  if (record.read(head, used, 0, seedAt(segment.salt, position)) !== "read") return;
  const start = position + record.headersStart;
  const end = position + record.end;
  for (const held of [...segment.slabs, ...segment.windows]) {
    held.bytes.fill(0, Math.max(0, start - held.position), Math.max(0, end - held.position));
  }
  const zeros = new Uint8Array(Math.min(PIECE_BYTES, end - start));
  for (let at = start; at < end; at += zeros.length) {
    await file.write(zeros.subarray(0, Math.min(zeros.length, end - at)), at);
  }
  await file.sync();
  cache.forget(segment);
}
