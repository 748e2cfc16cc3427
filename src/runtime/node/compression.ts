import type { Compression } from "../../seams/compression.ts";

/** Compression by Node's zlib, which is loaded when something is to be compressed: that is rare. */
export class NodeCompression implements Compression {
  async gzip(bytes: Uint8Array): Promise<Uint8Array> {
    const { gzipSync } = await import("node:zlib");
    return gzipSync(bytes);
  }
}
