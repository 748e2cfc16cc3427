import type { Pacer } from "../../storage/pacer.ts";
import { PendingBytes } from "./pending-bytes.ts";
import { S2Writer } from "./s2-writer.ts";

/** Compresses what comes, and cuts it into chunks of `size` bytes; the last is what is left, and may be empty. Chunks may be kept. */
export async function* compressedChunks(
  pieces: AsyncIterable<Uint8Array>,
  size: number,
  pacer: Pacer,
): AsyncGenerator<Uint8Array> {
  const s2 = new S2Writer();
  const ready = new PendingBytes();
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const end = Math.min(piece.length, at + s2.room);
      s2.add(piece, at, end);
      at = end;
      if (s2.room > 0) continue;
      for (const frame of s2.frames()) ready.push(frame);
      while (ready.length >= size) yield ready.take(size)!.slice();
      if (pacer.due) await pacer.rest();
    }
  }
  for (const frame of s2.frames()) ready.push(frame);
  while (ready.length >= size) yield ready.take(size)!.slice();
  yield ready.take(ready.length)!.slice();
}
