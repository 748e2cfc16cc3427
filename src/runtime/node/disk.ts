import fs from "node:fs";
import { type Disk, DiskError, type DiskErrorKind, type DiskFile, type DiskLock } from "../../seams/disk.ts";
import { systemErrorText } from "./system-error.ts";

const KINDS: Readonly<Record<string, DiskErrorKind>> = {
  ENOSPC: "full",
  EDQUOT: "full",
  EFBIG: "full",
  ENOENT: "missing",
};

/** The files of this machine. */
export class NodeDisk implements Disk {
  open(path: string, create: boolean): Promise<DiskFile> {
    const flags = fs.constants.O_RDWR | (create ? fs.constants.O_CREAT : 0);
    return done<number>((callback) => fs.open(path, flags, 0o640, callback)).then(
      (fd) => new NodeFile(fd, path),
    );
  }

  rename(from: string, to: string): Promise<void> {
    return done((callback) => fs.rename(from, to, callback));
  }

  unlink(path: string): Promise<void> {
    return done((callback) => fs.unlink(path, callback));
  }

  async list(directory: string): Promise<string[]> {
    try {
      return await done<string[]>((callback) => fs.readdir(directory, callback));
    } catch (error) {
      if (error instanceof DiskError && error.kind === "missing") return [];
      throw error;
    }
  }

  async makeDirectory(directory: string): Promise<void> {
    const first = await done<string | undefined>((callback) =>
      fs.mkdir(directory, { recursive: true, mode: 0o750 }, callback),
    );
    if (first === undefined) return;
    // Each that was made is an entry of the one above it.
    for (let made = directory; made.length >= first.length; made = parentOf(made)) {
      await this.syncDirectory(parentOf(made));
    }
  }

  removeDirectory(directory: string): Promise<void> {
    return done((callback) => fs.rmdir(directory, callback));
  }

  async syncDirectory(directory: string): Promise<void> {
    // Windows has no such call, and needs none.
    if (process.platform === "win32") return;
    const fd = await done<number>((callback) => fs.open(directory, "r", callback));
    try {
      await done<void>((callback) => fs.fsync(fd, callback));
    } finally {
      await done<void>((callback) => fs.close(fd, callback));
    }
  }

  async lock(path: string): Promise<DiskLock> {
    try {
      return await (await import("./disk-lock.ts")).takeLock(path);
    } catch (error) {
      throw asDiskError(error);
    }
  }
}

class NodeFile implements DiskFile {
  readonly #fd: number;
  readonly #path: string;
  /** The same file, whose writes return when they are on disk. */
  #syncing: Promise<number> | undefined;
  #syncingFd: number | undefined;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  async size(): Promise<number> {
    return (await done<fs.Stats>((callback) => fs.fstat(this.#fd, callback))).size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    for (let at = 0; ; ) {
      const left = into.length - at;
      const read =
        left === 0
          ? 0
          : await done<number>((callback) =>
              fs.read(this.#fd, into, at, Math.min(left, MAX_CALL), position + at, callback),
            );
      at += read;
      if (read === 0) return at;
    }
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return writeAll(this.#fd, bytes, position);
  }

  async writeSynced(parts: readonly Uint8Array[], position: number): Promise<void> {
    if (!CAN_SYNC_WRITES) {
      for (const part of parts) {
        await this.write(part, position);
        position += part.length;
      }
      return this.sync();
    }
    const fd = this.#syncingFd ?? (await this.#openSyncing());
    const written = await done<number>((callback) => fs.writev(fd, parts, position, callback));
    // A system may take less than all: what is left goes part by part.
    let start = 0;
    for (const part of parts) {
      const from = Math.max(0, written - start);
      if (from < part.length) await writeAll(fd, part.subarray(from), position + start + from);
      start += part.length;
    }
  }

  async #openSyncing(): Promise<number> {
    this.#syncing ??= done<number>((callback) =>
      fs.open(this.#path, fs.constants.O_WRONLY | fs.constants.O_DSYNC, callback),
    );
    this.#syncingFd = await this.#syncing;
    return this.#syncingFd;
  }

  sync(): Promise<void> {
    return done((callback) => fs.fdatasync(this.#fd, callback));
  }

  truncate(size: number): Promise<void> {
    return done((callback) => fs.ftruncate(this.#fd, size, callback));
  }

  async close(): Promise<void> {
    const syncing = await this.#syncing?.catch(() => undefined);
    if (syncing !== undefined) await done<void>((callback) => fs.close(syncing, callback));
    await done<void>((callback) => fs.close(this.#fd, callback));
  }
}

async function writeAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, MAX_CALL);
    at += await done<number>((callback) => fs.write(fd, bytes, at, length, position + at, callback));
  }
}

/** Elsewhere the flag is not there, or (macOS) promises less than `fdatasync`. */
const CAN_SYNC_WRITES = process.platform === "linux" && fs.constants.O_DSYNC !== undefined;

/** Systems read and write at most 2 GiB in one call. */
const MAX_CALL = 1024 * 1024 * 1024;

/** The outcome of a call with a callback, which costs less than `fs.promises`. */
function done<T>(call: (callback: (error: Error | null, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error === null) resolve(value as T);
      else reject(asDiskError(error));
    });
  });
}

function asDiskError(error: unknown): DiskError {
  if (error instanceof DiskError) return error;
  const { code = "" } = error as NodeJS.ErrnoException;
  return new DiskError(Object.hasOwn(KINDS, code) ? KINDS[code] : "failed", systemErrorText(error));
}

function parentOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end > 0 ? path.slice(0, end) : end === 0 ? "/" : ".";
}
