/**
 * What went wrong with a store.
 * - `full`: there is no space; what was to be stored is refused until there is some again.
 * - `stopped`: a write or a sync has failed, or the store is closed: it takes nothing more, and still answers reads.
 * - `locked`: another process has the directory.
 * - `encrypted`: it is encrypted, and there is no key that fits. All stays as it is.
 */
export type StorageErrorCode = "full" | "stopped" | "locked" | "encrypted";

/** A store refuses, and why. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What is said of encrypted files where there is no key, in nats-server's words. */
export const NO_KEY = "encryption not enabled";
