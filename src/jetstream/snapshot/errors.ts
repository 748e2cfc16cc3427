/**
 * What was sent as a snapshot is none, or is damaged. The message goes into the answer (error 10062); where nats-server has a text
 * for the case it is that one.
 */
export class SnapshotError extends Error {
  override readonly name = "SnapshotError";
}

/** The bytes end in the middle of something, in Go's words. */
export function unexpectedEnd(): SnapshotError {
  return new SnapshotError("unexpected EOF");
}

/** What was compressed cannot be decompressed. */
export function corruptS2(): SnapshotError {
  return new SnapshotError("s2: corrupt input");
}
