/**
 * What went wrong with a store.
 * - `full`: there is no space; what was to be stored is refused until there is some again.
 * - `stopped`: a write or a sync has failed, or the store is closed: it takes nothing more, and still answers reads.
 * - `locked`: another process has the directory.
 */
export type StorageErrorCode = "full" | "stopped" | "locked";

/** A store refuses, and why. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
