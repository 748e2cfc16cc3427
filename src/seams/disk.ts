/**
 * Files, as the outside gives them: the only door to a disk. Paths are with `/`, whatever the platform. No call blocks; all reject
 * with a {@link DiskError}. Calls on one file that depend on each other's effect must be awaited one by one.
 */
export interface Disk {
  /** Opens a file to read and write, and makes it when it is not there and `create` is set. */
  open(path: string, create: boolean): Promise<DiskFile>;
  /** Gives a file another name, in one step, in place of what had that name. Lasts once the directory is synced. */
  rename(from: string, to: string): Promise<void>;
  /** Takes a file's name away. Lasts once the directory is synced. */
  unlink(path: string): Promise<void>;
  /** The names in a directory, without `.` and `..`, in no order; of a directory that is not there, none. */
  list(directory: string): Promise<string[]>;
  /** Makes a directory and those above it, where they are not there. */
  makeDirectory(directory: string): Promise<void>;
  /** Sees to it that a directory and those above it last, as far as they were made here. */
  keepDirectory(directory: string): Promise<void>;
  /** Takes an empty directory away. */
  removeDirectory(directory: string): Promise<void>;
  /** Makes what has been created, renamed and unlinked in a directory last. */
  syncDirectory(directory: string): Promise<void>;
  /** Takes a lock that ends with the process. @throws DiskError with kind "locked" when another has it; its message says who. */
  lock(path: string): Promise<DiskLock>;
}

/** An open file, to be read. */
export interface ReadFile {
  /** How many bytes it has. */
  size(): Promise<number>;
  /** Fills `into` from `position` on; less than its length only at the file's end. Returns how many bytes there were. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Ends the use of it. */
  close(): Promise<void>;
}

/** An open file. */
export interface DiskFile extends ReadFile {
  /** Writes all of `bytes` at `position`. When it fails, any part may have been written. The array must stay as it is until it is done. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /**
   * Writes arrays one behind the other, and makes these bytes last, and the size with them; nothing is said of others. One call instead of two
   * where the platform can.
   */
  writeSynced(parts: readonly Uint8Array[], position: number): Promise<void>;
  /** There will be no {@link writeSynced} for now: what it takes to keep ready for it may go. None is under way. */
  endSyncedWrites(): Promise<void>;
  /** Makes what has been written last, and the size with it (fdatasync). */
  sync(): Promise<void>;
  /** Cuts the file, or lengthens it with zeros. */
  truncate(size: number): Promise<void>;
}

/** How large the files of streams are made, in bytes; what is left out is as usual. */
export interface FileSizes {
  /** The most that a segment has, less a record; 32 MiB unless said. */
  readonly segmentBytes?: number;
  /** How much room is made ahead in a file at most; 1 MiB unless said, 0 for none. */
  readonly roomBytes?: number;
  /** How much may wait for a commit before it begins in the middle of a burst; 64 KiB unless said. */
  readonly burstBytes?: number;
  /** How much of a segment is compressed together, at most 64 KiB, which it is unless said. */
  readonly blockBytes?: number;
}

/** A lock that is held. */
export interface DiskLock {
  /** Gives it back. */
  release(): Promise<void>;
}

/**
 * What kind of thing went wrong: no space is left, the file is not there, another process holds the lock, something that is no directory is where
 * one should be, anything else.
 */
export type DiskErrorKind = "full" | "missing" | "locked" | "occupied" | "failed";

/** A call to a {@link Disk} that came to nothing. */
export class DiskError extends Error {
  override readonly name = "DiskError";
  readonly kind: DiskErrorKind;

  /** @param message - which file, and what is wrong with it. */
  constructor(kind: DiskErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
