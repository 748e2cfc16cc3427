/** Compression, as the outside gives it. */
export interface Compression {
  /** The bytes in the gzip format. */
  gzip(bytes: Uint8Array): Promise<Uint8Array>;
}
