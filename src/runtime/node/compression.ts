import { createRequire } from "node:module";
import type { Compression } from "../../seams/compression.ts";

/** Compression by Node's zlib, which is loaded when something is to be compressed: that is rare. */
export class LazyCompression implements Compression {
  #zlib: typeof import("node:zlib") | undefined;

  gzip(bytes: Uint8Array): Uint8Array {
    this.#zlib ??= createRequire(import.meta.url)("node:zlib") as typeof import("node:zlib");
    return this.#zlib.gzipSync(bytes);
  }
}
